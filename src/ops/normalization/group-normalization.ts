/** @file GroupNormalization: mean 0 and variance 1 per sample and group of channels, then scale and shift (per
 *  channel since opset 21, per group in 18). Spec: ONNX GroupNormalization-18, -21; Wu & He 2018. */
import { DynnError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import { attribute, showNode } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { reduceSum, reshapeTo } from "../support/emit.js";
import { given } from "../support/nd.js";
import { emitNormalized, emitNormalizedGradient, normalizeOver, scaleAndShift } from "../support/normalize.js";
import { checkVectors } from "../support/vectors.js";

const epsilonOf = (node: Node): number => attribute(node, "epsilon", "float") ?? 1e-5;

function groupsOf(node: Node): number {
  const groups = attribute(node, "num_groups", "int");
  if (groups !== undefined && groups >= 1) return groups;
  throw new DynnError(
    "model/attribute",
    `${showNode(node)}: attribute "num_groups" is ${groups ?? "missing"}, expected at least 1. Export the model again.`,
    { node: node.name, attribute: "num_groups" },
  );
}

/** Channels in a group. */
function perGroup(node: Node, channels: number | string | undefined): number {
  const each = Number(channels) / groupsOf(node);
  if (Number.isInteger(each)) return each;
  throw mismatch(
    node,
    `X has ${channels} channels, expected a multiple of num_groups, ${groupsOf(node)}. Export the model again.`,
    { channels, groups: groupsOf(node) },
  );
}

/** The vector of scales or shifts as [groups, channels per group or 1, 1]. */
const spreadOver = (v: NdArray, groups: number): NdArray => ({
  dims: [groups, sizeOf(v.dims) / groups, 1],
  data: v.data,
});

/** X [n, g*c, ...] as [n, g, c, pixels]. */
const split = (b: GraphBuilder, x: ValueName, groups: number, each: number): ValueName =>
  b.op("Reshape", [x, b.ints([0, groups, each, -1])]);

function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const [groups, each, x] = [groupsOf(node), perGroup(node, shape[1]), node.inputs[0]];
  const length = inputType(ctx, 1).shape[0] as number;
  const g = split(b, dy, groups, each);
  const names = emitNormalized(b, split(b, x, groups, each), [2, 3], epsilonOf(node), dtype);
  const scale = b.op("Reshape", [node.inputs[1], b.ints([groups, length / groups, 1])]);
  const overParameter = (value: ValueName): ValueName =>
    b.op("Reshape", [reduceSum(b, value, length === groups ? [0, 2, 3] : [0, 3], false), b.ints([length])]);
  const dx = (): ValueName => {
    const grouped = emitNormalizedGradient(b, names, b.op("Mul", [g, scale]), [2, 3]);
    return reshapeTo(b, grouped, shape, x);
  };
  return [
    ctx.needs(0) ? dx() : undefined,
    ctx.needs(1) ? overParameter(b.op("Mul", [g, names.xhat])) : undefined,
    ctx.needs(2) ? overParameter(g) : undefined,
  ];
}

export const GroupNormalization: OpDef = {
  type: "GroupNormalization",
  takes: ["F"],
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    perGroup(ctx.node, shape[1]);
    checkVectors(ctx, [1, 2], [shape[1] ?? 1, groupsOf(ctx.node)]);
    return [{ dtype, shape }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const [groups, each] = [groupsOf(node), perGroup(node, x.dims[1])];
    const grouped = { dims: [x.dims[0], groups, each, sizeOf(x.dims.slice(2))], data: x.data };
    const { xhat } = normalizeOver(grouped, [2, 3], epsilonOf(node));
    const y = scaleAndShift(xhat, spreadOver(given(inputs, 1), groups), spreadOver(given(inputs, 2), groups));
    return [{ dims: x.dims, data: y.data }];
  },
};
