/** @file ScatterElements: writes (or from opset 16 adds, multiplies ...) one element per index along an axis.
 *  Where plain writes repeat an index the last one wins, as in ONNX Runtime. Spec: ONNX ScatterElements-18. */
import { attribute, int } from "../graph/attributes.js";
import type { Node, ValueName } from "../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../graph/op.js";
import { elementPositions } from "./support/elements.js";
import { zerosLike } from "./support/emit.js";
import { axisOf, noGradient } from "./support/known.js";
import { given } from "./support/nd.js";

const REDUCE: Readonly<Record<string, (old: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  min: Math.min,
  max: Math.max,
};

function reductionOf(node: Node): string {
  const name = attribute(node, "reduction", "string") ?? "none";
  if (Object.hasOwn(REDUCE, name)) return name;
  throw mismatch(
    node,
    `reduction "${name}" is unknown, expected ${Object.keys(REDUCE).join(", ")}. Export the model again.`,
  );
}

/** dData loses what was overwritten; dUpdates is what lies at the indices (no index may repeat when writing). */
function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const reduction = reductionOf(node);
  if (reduction !== "none" && reduction !== "add")
    throw noGradient(node, `reduction "${reduction}" has no gradient rule. Use "add" or "none"`);
  const [indices, updates] = [node.inputs[1], inputType(ctx, 2)];
  const axis = { axis: int(axisOf(node, inputType(ctx, 0).shape.length, 0)) };
  const erased = () =>
    b.op("ScatterElements", [dy, indices, zerosLike(b, indices, updates.shape, updates.dtype)], axis, "grad");
  return [
    ctx.needs(0) ? (reduction === "add" ? dy : erased()) : undefined,
    undefined,
    ctx.needs(2) ? b.op("GatherElements", [dy, indices], axis, "grad") : undefined,
  ];
}

export const ScatterElements: OpDef = {
  type: "ScatterElements",
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => {
    const [x, indices, updates] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const reduce = REDUCE[reductionOf(node)] as (old: number, update: number) => number;
    const data = Float64Array.from(x.data);
    elementPositions(node, x, indices, axisOf(node, x.dims.length, 0)).forEach((at, i) => {
      data[at] = reduce(data[at], updates.data[i]);
    });
    return [{ dims: x.dims, data }];
  },
};
