import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { transpose } from "../support/emit.js";
import { given, ndTranspose } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

function permOf(node: Node, rank: number): readonly number[] {
  const perm = attribute(node, "perm", "ints") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (perm.length === rank && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i)) return perm;
  throw mismatch(node, `perm [${perm}] is not an order of ${rank} axes. List each axis from 0 to ${rank - 1} once.`, {
    perm,
    rank,
  });
}

const run: OpDef["run"] = (inputs, { node }) => {
  const x = given(inputs, 0);
  return [ndTranspose(x, permOf(node, x.dims.length))];
};

export const Transpose: OpDef = {
  type: "Transpose",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    return [{ dtype, shape: permOf(ctx.node, shape.length).map((axis) => shape[axis]) }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    const perm = permOf(ctx.node, inputType(ctx, 0).shape.length);
    return dy === undefined
      ? []
      : [
          transpose(
            ctx.b,
            dy,
            perm.map((_, axis) => perm.indexOf(axis)),
          ),
        ];
  },
  run,
  propagate: symbolicMove({ run }),
};
