/** @file LayerNormalization: mean 0 and variance 1 over the axes from `axis` on, then scale and shift. The gradient
 *  runs a second LayerNormalization with scale 1, whose outputs are xhat and 1/std (one fused kernel in ONNX
 *  Runtime). Spec: ONNX LayerNormalization-17; Ba et al. 2016. */
import { type Dim, isStatic, type Shape, sizeOf } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { attribute, float, int } from "../../graph/attributes.js";
import type { Node, ValueName, ValueType } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef, type VjpContext } from "../../graph/op.js";
import { unbroadcast } from "../support/emit.js";
import { axisOf, noGradient } from "../support/known.js";
import { axesFrom } from "../support/lines.js";
import { given, ndOf } from "../support/nd.js";
import {
  emitNormalized,
  emitNormalizedGradient,
  type NormalizedNames,
  normalizeOver,
  scaleAndShift,
} from "../support/normalize.js";

const epsilonOf = (node: Node): number => attribute(node, "epsilon", "float") ?? 1e-5;

/** xhat and 1/std; the fused kernel needs a scale of known length. */
function normalized(ctx: VjpContext, axis: number): NormalizedNames {
  const { b, node } = ctx;
  const [x, { shape, dtype }] = [node.inputs[0], inputType(ctx, 0)];
  const lengths = shape.slice(axis);
  if (!isStatic(lengths)) return emitNormalized(b, x, axesFrom(axis, shape.length), epsilonOf(node), dtype);
  const ones = b.constant(fromNumbers(dtype, lengths, new Float64Array(sizeOf(lengths)).fill(1)), "ones");
  const attributes = { axis: int(axis), epsilon: float(epsilonOf(node)) };
  const [xhat, , inv] = b.ops("LayerNormalization", [x, ones], 3, attributes) as [ValueName, ValueName, ValueName];
  return { xhat, inv };
}

/** ONNX Runtime reads past the end of a scale that does not fit; an empty one, and one without axes, crash it.
 * @throws DynnError 'shape/mismatch' when it cannot be broadcast to X */
function checkScale(node: Node, name: string, type: ValueType | undefined, x: Shape): void {
  const fits = (d: Dim, i: number, dims: Shape): boolean => {
    const wanted = x[x.length - dims.length + i];
    return d === 1 || d === wanted || typeof d !== "number" || typeof wanted !== "number";
  };
  if (!type || (type.shape.length > 0 && type.shape.length <= x.length && type.shape.every(fits))) return;
  throw mismatch(
    node,
    `${name} is [${type.shape}] and cannot be broadcast to X [${x}]. Give it the dimensions that are normalised.`,
    { x, [name]: type.shape },
  );
}

export const LayerNormalization: OpDef = {
  type: "LayerNormalization",
  takes: ["F"],
  limit: "the outputs Mean and InvStdDev have no gradient",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    const axis = axisOf(ctx.node, shape.length, -1);
    for (const [i, name] of ["Scale", "B"].entries()) checkScale(ctx.node, name, ctx.inputs[i + 1], shape);
    const statistics = { dtype, shape: shape.map((d, i) => (i < axis ? d : 1)) };
    return [{ dtype, shape }, statistics, statistics];
  },
  vjp: (ctx) => {
    const { b, node, grads } = ctx;
    if (grads[1] !== undefined || grads[2] !== undefined)
      throw noGradient(node, "the loss uses the outputs Mean or InvStdDev, whose gradient dynn does not have");
    const dy = grads[0];
    if (dy === undefined) return [];
    const [x, scale] = [inputType(ctx, 0).shape, inputType(ctx, 1).shape];
    const axis = axisOf(node, x.length, -1);
    const names = normalized(ctx, axis);
    const shift = ctx.needs(2) ? unbroadcast(b, dy, x, inputType(ctx, 2).shape) : undefined;
    const dx = () => emitNormalizedGradient(b, names, b.op("Mul", [dy, node.inputs[1]]), axesFrom(axis, x.length));
    return [
      ctx.needs(0) ? dx() : undefined,
      ctx.needs(1) ? unbroadcast(b, b.op("Mul", [dy, names.xhat]), x, scale) : undefined,
      shift,
    ];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const axis = axisOf(node, x.dims.length, -1);
    const { xhat, mean, inv } = normalizeOver(x, axesFrom(axis, x.dims.length), epsilonOf(node));
    const dims = x.dims.map((d, i) => (i < axis ? d : 1));
    return [scaleAndShift(xhat, given(inputs, 1), inputs[2]), ndOf(dims, mean), ndOf(dims, inv)];
  },
};
