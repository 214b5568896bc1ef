/** @file InstanceNormalization: mean 0 and variance 1 per sample and channel, then scale and shift per channel.
 *  Spec: ONNX InstanceNormalization-6; Ulyanov et al. 2016. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { reduceSum, unsqueeze } from "../support/emit.js";
import { axesFrom } from "../support/lines.js";
import { given } from "../support/nd.js";
import {
  emitNormalized,
  emitNormalizedGradient,
  ndPerChannel,
  normalizeOver,
  scaleAndShift,
} from "../support/normalize.js";
import { checkVectors } from "../support/vectors.js";

const epsilonOf = (node: Node): number => attribute(node, "epsilon", "float") ?? 1e-5;

export const InstanceNormalization: OpDef = {
  type: "InstanceNormalization",
  takes: ["F"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    checkVectors(ctx, [1, 2], [shape[1] ?? 1]);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const { b, node } = ctx;
    const { shape, dtype } = inputType(ctx, 0);
    const spatial = axesFrom(2, shape.length);
    const names = emitNormalized(b, node.inputs[0], spatial, epsilonOf(node), dtype);
    const scale = unsqueeze(b, node.inputs[1], axesFrom(1, shape.length - 1));
    return [
      ctx.needs(0) ? emitNormalizedGradient(b, names, b.op("Mul", [dy, scale]), spatial) : undefined,
      ctx.needs(1) ? reduceSum(b, b.op("Mul", [dy, names.xhat]), [0, ...spatial], false) : undefined,
      ctx.needs(2) ? reduceSum(b, dy, [0, ...spatial], false) : undefined,
    ];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const rank = x.dims.length;
    const { xhat } = normalizeOver(x, axesFrom(2, rank), epsilonOf(node));
    return [scaleAndShift(xhat, ndPerChannel(given(inputs, 1), rank), ndPerChannel(given(inputs, 2), rank))];
  },
};
