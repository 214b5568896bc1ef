/** @file Dropout. At inference it returns the unchanged input and a mask that keeps everything.
 *  In training it returns x times a mask. Spec: ONNX Dropout-13. */
import { DynnError } from "../../core/errors.js";
import type { Dims } from "../../core/shape.js";
import { attribute, showNode } from "../../graph/attributes.js";
import { type InferContext, inputType, type OpDef, type TrainingContext } from "../../graph/op.js";
import { given, ndMap } from "../support/nd.js";

function refuseTraining(ctx: InferContext): void {
  if (!ctx.inputs[2] || ctx.constant(2)?.data[0] === 0) return;
  // A ratio of 0 drops nothing, even in training mode. Exports of torchvision's Swin do this.
  if (ctx.inputs[1] && Number(ctx.constant(1)?.data[0]) === 0) return;
  throw new DynnError(
    "model/attribute",
    `${showNode(ctx.node)}: training_mode is not a constant false, so the output would be random. Export the model in evaluation mode.`,
    { node: ctx.node.name },
  );
}

/** x times a mask that is an input, so that dynn makes the random numbers (Srivastava et al.
 * 2014, inverted). */
function train(ctx: TrainingContext): void {
  const { b, node } = ctx;
  const shape = inputType(ctx, 0).shape as Dims;
  const ratio = attribute(node, "ratio", "float") ?? ctx.constant(1)?.data[0] ?? 0.5;
  const name = b.input(`${node.outputs[0]}.mask`, inputType(ctx, 0).dtype, shape);
  ctx.addMask({ name, ratio: Number(ratio), shape });
  b.append({ ...node, opType: "Mul", inputs: [node.inputs[0], name], outputs: [node.outputs[0]], attributes: {} });
}

export const Dropout: OpDef = {
  type: "Dropout",
  takes: ["T", "float", "bool"],
  infer: (ctx) => {
    refuseTraining(ctx);
    const { dtype, shape } = inputType(ctx, 0);
    return [
      { dtype, shape },
      { dtype: "bool", shape },
    ];
  },
  vjp: (ctx) => [ctx.grads[0]],
  run: (inputs) => [given(inputs, 0), ndMap(given(inputs, 0), () => 1)],
  train,
  isIdentity: (ctx) => !ctx.node.outputs[1],
};
