/** @file BatchNormalization: (x - mean) / sqrt(var + epsilon) * scale + B per channel (axis 1). At inference mean and var are
 *  inputs, and the node is a per-channel affine map that convolutions absorb. In training mode they are the batch's own, and
 *  the running averages of the inputs mean and var with them (variance over the whole batch, not n - 1) are outputs 1 and 2.
 *  Spec: ONNX BatchNormalization-15; Ioffe & Szegedy 2015. */
import type { DType } from "../../core/dtype.js";
import { DynnError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import { fromNumbers, toNumbers } from "../../core/tensor.js";
import { attribute, float, int, showNode } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Node, ValueName, ValueType } from "../../graph/graph.js";
import {
  type ChannelAffine,
  type InferContext,
  inputType,
  type NdArray,
  type OpDef,
  type TrainingContext,
  type VjpContext,
} from "../../graph/op.js";
import { countOver, reduce, reduceSum, unsqueeze } from "../support/emit.js";
import { axesFrom } from "../support/lines.js";
import { cast } from "../support/mask.js";
import { given } from "../support/nd.js";
import { ndPerChannel, scaleAndShift } from "../support/normalize.js";
import { checkVectors } from "../support/vectors.js";

const epsilonOf = (node: Node): number => attribute(node, "epsilon", "float") ?? 1e-5;

const momentumOf = (node: Node): number => attribute(node, "momentum", "float") ?? 0.9;

/** Before opset 14 extra outputs stood for training. */
const isTraining = ({ node, opset }: { readonly node: Node; readonly opset: number }): boolean =>
  opset >= 14 ? attribute(node, "training_mode", "int") === 1 : node.outputs.slice(1).some(Boolean);

/** The node as y = scale * x + shift. */
function affine(node: Node, [scale, b, mean, variance]: readonly (ArrayLike<number> | undefined)[]): ChannelAffine {
  const at = (values: ArrayLike<number> | undefined, c: number): number => values?.[c] ?? 0;
  const factor = Float64Array.from(scale ?? [], (s, c) => s / Math.sqrt(at(variance, c) + epsilonOf(node)));
  return { scale: factor, shift: factor.map((f, c) => at(b, c) - at(mean, c) * f) };
}

/** The affine map when all four parameters are constants. */
function constantAffine(ctx: Pick<InferContext, "node" | "constant">): ChannelAffine | undefined {
  const parameters = [1, 2, 3, 4].map((i) => ctx.constant(i));
  return parameters.every((p) => p !== undefined)
    ? affine(
        ctx.node,
        parameters.map((p) => p && toNumbers(p)),
      )
    : undefined;
}

/** 1 / sqrt(var + epsilon) as [c]. */
const inverseDeviation = (b: GraphBuilder, variance: ValueName, epsilon: number, dtype: DType): ValueName =>
  b.op("Reciprocal", [b.op("Sqrt", [b.op("Add", [variance, b.scalar(epsilon, dtype)])])]);

function inferenceGradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const [x, scale, , mean] = node.inputs as [ValueName, ValueName, ValueName, ValueName];
  const inner = axesFrom(2, shape.length);
  const perChannel = (v: ValueName): ValueName => unsqueeze(b, v, axesFrom(1, shape.length - 1));
  const known = constantAffine(ctx);
  const inv = inverseDeviation(b, node.inputs[4], epsilonOf(node), dtype);
  const factor = b.op("Mul", [scale, inv]);
  const slope = known
    ? b.constant(fromNumbers(dtype, [known.scale.length, ...inner.map(() => 1)], known.scale), "bn_scale")
    : perChannel(factor);
  const total = reduceSum(b, dy, [0, ...inner], false);
  // sum of dy * xhat per channel
  const along = b.op("Mul", [
    reduceSum(b, b.op("Mul", [dy, b.op("Sub", [x, perChannel(mean)])]), [0, ...inner], false),
    inv,
  ]);
  const halved = b.op("Mul", [b.op("Mul", [factor, inv]), b.scalar(-0.5, dtype)]);
  return [
    ctx.needs(0) ? b.op("Mul", [dy, slope], {}, "grad") : undefined,
    ctx.needs(1) ? along : undefined,
    ctx.needs(2) ? total : undefined,
    ctx.needs(3) ? b.op("Neg", [b.op("Mul", [total, factor])], {}, "grad") : undefined,
    ctx.needs(4) ? b.op("Mul", [along, halved], {}, "grad") : undefined,
  ];
}

/** Number of elements behind one channel's statistics, as a float value. */
function countPerChannel({ b, node, inputs }: VjpContext, x: ValueType): ValueName {
  const known = countOver(x.shape, [0, ...axesFrom(2, x.shape.length)]);
  if (known !== undefined) return b.scalar(known, x.dtype);
  const size = cast(b, b.op("Size", [node.inputs[0]]), x.dtype);
  return b.op("Div", [size, cast(b, b.op("Size", [node.inputs[1]]), inputs[1]?.dtype ?? x.dtype)]);
}

/** The batch's mean and variance [c]: running averages with momentum 0 are just that. */
function batchStatistics({ b, node }: VjpContext, x: ValueType): readonly [ValueName, ValueName] {
  const [, mean, variance] = node.outputs;
  if (momentumOf(node) === 0 && mean && variance) return [mean, variance];
  const axes = [0, ...axesFrom(2, x.shape.length)];
  const centre = reduce(b, "ReduceMean", node.inputs[0], axes, true);
  const centred = b.op("Sub", [node.inputs[0], centre]);
  return [
    reduce(b, "ReduceMean", node.inputs[0], axes, false),
    reduce(b, "ReduceMean", b.op("Mul", [centred, centred]), axes, false),
  ];
}

/** dX = slope * (dY - mean(dY) - xhat * mean(dY * xhat)), written as slope * dY + along * X + rest with one number of each per
 *  channel: two passes over the images instead of five. Ioffe & Szegedy 2015, section 3. */
function trainingGradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const type = inputType(ctx, 0);
  const [x, scale] = node.inputs as [ValueName, ValueName];
  const axes = [0, ...axesFrom(2, type.shape.length)];
  const [mean, variance] = batchStatistics(ctx, type);
  const inv = inverseDeviation(b, variance, epsilonOf(node), type.dtype);
  const total = reduceSum(b, dy, axes, false);
  const product = reduceSum(b, b.op("Mul", [dy, x]), axes, false);
  const scaleGrad = b.op("Mul", [b.op("Sub", [product, b.op("Mul", [mean, total])]), inv]);
  if (!ctx.needs(0)) return [undefined, scaleGrad, total];
  const count = countPerChannel(ctx, type);
  const slope = b.op("Mul", [scale, inv]);
  const mutual = b.op("Div", [b.op("Mul", [slope, scaleGrad]), count]);
  const along = b.op("Neg", [b.op("Mul", [mutual, inv])]);
  const rest = b.op("Neg", [
    b.op("Add", [b.op("Div", [b.op("Mul", [slope, total]), count]), b.op("Mul", [along, mean])]),
  ]);
  const perChannel = (v: ValueName): ValueName => unsqueeze(b, v, axesFrom(1, type.shape.length - 1));
  const ofX = b.op("Add", [b.op("Mul", [x, perChannel(along)]), perChannel(rest)]);
  return [b.op("Add", [b.op("Mul", [dy, perChannel(slope)]), ofX], {}, "grad"), scaleGrad, total];
}

/** Mean and variance of each channel over batch and space. */
function statisticsOf(x: NdArray): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const channels = x.dims[1] ?? 1;
  const [inner, count] = [sizeOf(x.dims.slice(2)), x.data.length / channels];
  const channelOf = (i: number): number => Math.floor(i / inner) % channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  x.data.forEach((v, i) => {
    mean[channelOf(i)] += v / count;
  });
  x.data.forEach((v, i) => {
    variance[channelOf(i)] += (v - mean[channelOf(i)]) ** 2 / count;
  });
  return { mean, variance };
}

function normalize(node: Node, x: NdArray, parameters: readonly Float64Array[]): NdArray {
  const { scale, shift } = affine(node, parameters);
  const spread = (data: Float64Array): NdArray => ndPerChannel({ dims: [data.length], data }, x.dims.length);
  return scaleAndShift(x, spread(scale), spread(shift));
}

/** Y and the running averages. */
function runTraining(inputs: readonly (NdArray | undefined)[], node: Node): readonly NdArray[] {
  const x = given(inputs, 0);
  const [scale, shift, oldMean, oldVariance] = [1, 2, 3, 4].map((i) => given(inputs, i).data);
  const { mean, variance } = statisticsOf(x);
  const momentum = momentumOf(node);
  const running = (old: Float64Array, now: Float64Array): NdArray => ({
    dims: [now.length],
    data: now.map((v, c) => momentum * old[c] + (1 - momentum) * v),
  });
  return [normalize(node, x, [scale, shift, mean, variance]), running(oldMean, mean), running(oldVariance, variance)];
}

/** With momentum 0 the outputs 1 and 2 are the batch's own mean and variance. */
function train(ctx: TrainingContext): void {
  const { b, node, opset } = ctx;
  if (opset < 14)
    throw new DynnError(
      "training/config",
      `${showNode(node)}: opset ${opset} has no training form of it, 14 and later have. Export the model with a newer opset, or train its exits alone (recipe ic-only).`,
      { opset },
    );
  const [, , , mean, variance] = node.inputs as [ValueName, ValueName, ValueName, ValueName, ValueName];
  const now = { mean: b.fresh(`${mean}.batch`), variance: b.fresh(`${variance}.batch`) };
  const count = sizeOf(inputType(ctx, 0).shape.filter((_, axis) => axis !== 1) as number[]);
  b.append({
    ...node,
    outputs: [node.outputs[0], now.mean, now.variance],
    attributes: { ...node.attributes, training_mode: int(1), momentum: float(0) },
  });
  ctx.addStatistic({ name: mean, batch: now.mean, correction: 1 });
  ctx.addStatistic({ name: variance, batch: now.variance, correction: count / Math.max(1, count - 1) });
}

export const BatchNormalization: OpDef = {
  type: "BatchNormalization",
  takes: ["F", "float"],
  infer: (ctx) => {
    checkVectors(ctx, [1, 2, 3, 4], [inputType(ctx, 0).shape[1] ?? 1]);
    const { dtype, shape } = inputType(ctx, 0);
    const statistics = [3, 4].map((i) => ({ dtype: inputType(ctx, i).dtype, shape: inputType(ctx, i).shape }));
    return [{ dtype, shape }, ...(isTraining(ctx) ? statistics : [])];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    return isTraining(ctx) ? trainingGradients(ctx, dy) : inferenceGradients(ctx, dy);
  },
  run: (inputs, { node, opset }) =>
    isTraining({ node, opset })
      ? runTraining(inputs, node)
      : [
          normalize(
            node,
            given(inputs, 0),
            [1, 2, 3, 4].map((i) => given(inputs, i).data),
          ),
        ],
  train,
  mixesBatch: isTraining,
  asAffine: (ctx) => (isTraining(ctx) ? undefined : constantAffine(ctx)),
};
