/** @file MeanVarianceNormalization: (x - mean) / (std + 1e-9) over axes, by default batch and image, per channel.
 *  Spec: ONNX MeanVarianceNormalization-13. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { axesIn } from "../support/known.js";
import { given } from "../support/nd.js";
import { emitNormalized, emitNormalizedGradient, normalizeOver } from "../support/normalize.js";

/** Beside a variance what 1e-9 is beside a standard deviation. */
const EPSILON = 1e-18;

const axesOf = (node: Node, rank: number): readonly number[] =>
  axesIn(node, attribute(node, "axes", "ints") ?? [0, 2, 3], rank);

export const MeanVarianceNormalization: OpDef = {
  type: "MeanVarianceNormalization",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    axesOf(ctx.node, shape.length);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => {
    const [dy, { shape, dtype }] = [ctx.grads[0], inputType(ctx, 0)];
    if (dy === undefined) return [];
    const axes = axesOf(ctx.node, shape.length);
    const names = emitNormalized(ctx.b, ctx.node.inputs[0], axes, EPSILON, dtype);
    return [emitNormalizedGradient(ctx.b, names, dy, axes)];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    return [normalizeOver(x, axesOf(node, x.dims.length), EPSILON).xhat];
  },
  mixesBatch: ({ node }) => (attribute(node, "axes", "ints") ?? [0]).includes(0),
};
