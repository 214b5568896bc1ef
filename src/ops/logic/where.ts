/** @file Where: x where the condition holds, w elsewhere, all three broadcast. Spec: ONNX Where-16. */
import { broadcastShapes } from "../../core/shape.js";
import { showNode } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { unbroadcast } from "../support/emit.js";
import { mask } from "../support/mask.js";
import { given, ndBroadcast } from "../support/nd.js";
import { symbolicMove } from "../support/symbolic.js";

const run: OpDef["run"] = (inputs, { node }) => [
  ndBroadcast(
    [given(inputs, 0), given(inputs, 1), given(inputs, 2)],
    (condition, x, w) => (condition ? x : w),
    showNode(node),
  ),
];

export const Where: OpDef = {
  type: "Where",
  takes: ["bool", "T"],
  infer: (ctx) => {
    const [condition, x, w] = [inputType(ctx, 0), inputType(ctx, 1), inputType(ctx, 2)];
    const where = showNode(ctx.node);
    return [
      { dtype: x.dtype, shape: broadcastShapes(broadcastShapes(condition.shape, x.shape, where), w.shape, where) },
    ];
  },
  vjp: (ctx) => {
    const [dy, out] = [ctx.grads[0], ctx.outputs[0]];
    if (dy === undefined || !out) return [];
    const { b } = ctx;
    const condition = ctx.node.inputs[0];
    const gradient = (i: number, chosen: () => ValueName): ValueName | undefined =>
      ctx.needs(i) ? unbroadcast(b, mask(b, chosen(), dy, out.dtype), out.shape, inputType(ctx, i).shape) : undefined;
    return [undefined, gradient(1, () => condition), gradient(2, () => b.op("Not", [condition]))];
  },
  run,
  propagate: symbolicMove({ run }, (i) => i > 0),
};
