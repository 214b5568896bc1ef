/** @file BatchNormalization at inference: (x - mean) / sqrt(var + epsilon) * scale + B per channel (axis 1), a
 *  per-channel affine map that convolutions absorb. Training mode is refused. Spec: ONNX BatchNormalization-15; Ioffe
 *  & Szegedy 2015. */
import { DynnError } from "../core/errors.js";
import { fromNumbers, toNumbers } from "../core/tensor.js";
import { attribute, showNode } from "../graph/attributes.js";
import type { Node, ValueName } from "../graph/graph.js";
import {
  type ChannelAffine,
  type InferContext,
  inputType,
  mismatch,
  type NdArray,
  type OpDef,
  type VjpContext,
} from "../graph/op.js";
import { reduceSum, unsqueeze } from "./support/emit.js";
import { axesFrom } from "./support/lines.js";
import { given } from "./support/nd.js";
import { ndPerChannel, scaleAndShift } from "./support/normalize.js";

const epsilonOf = (node: Node): number => attribute(node, "epsilon", "float") ?? 1e-5;

/** Before opset 14 extra outputs stood for training. */
function refuseTraining({ node, opset }: InferContext): void {
  const training = opset >= 14 ? attribute(node, "training_mode", "int") === 1 : node.outputs.slice(1).some(Boolean);
  if (!training) return;
  throw new DynnError(
    "model/attribute",
    `${showNode(node)}: it is in training mode, so each answer would depend on its batch. Export the model in evaluation mode.`,
    { node: node.name, attribute: "training_mode" },
  );
}

function checkChannels(ctx: InferContext): void {
  const channels = inputType(ctx, 0).shape[1];
  for (const i of [1, 2, 3, 4]) {
    const { shape } = inputType(ctx, i);
    const fits =
      shape.length === 1 && (shape[0] === channels || typeof shape[0] === "string" || typeof channels === "string");
    if (!fits)
      throw mismatch(
        ctx.node,
        `input ${i} has shape [${shape}], expected [${channels ?? 1}], one per channel of X. Export the model again.`,
        {
          input: i,
          shape,
          channels,
        },
      );
  }
}

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
function inverseDeviation(ctx: VjpContext): ValueName {
  const { b, node } = ctx;
  const epsilon = b.scalar(epsilonOf(node), inputType(ctx, 0).dtype);
  return b.op("Reciprocal", [b.op("Sqrt", [b.op("Add", [node.inputs[4], epsilon])])]);
}

function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const [x, scale, , mean] = node.inputs as [ValueName, ValueName, ValueName, ValueName];
  const inner = axesFrom(2, shape.length);
  const perChannel = (v: ValueName): ValueName => unsqueeze(b, v, axesFrom(1, shape.length - 1));
  const known = constantAffine(ctx);
  const inv = inverseDeviation(ctx);
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

export const BatchNormalization: OpDef = {
  type: "BatchNormalization",
  infer: (ctx) => {
    refuseTraining(ctx);
    checkChannels(ctx);
    return [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const { scale, shift } = affine(
      node,
      [1, 2, 3, 4].map((i) => given(inputs, i).data),
    );
    const spread = (data: Float64Array): NdArray => ndPerChannel({ dims: [data.length], data }, x.dims.length);
    return [scaleAndShift(x, spread(scale), spread(shift))];
  },
  asAffine: constantAffine,
};
