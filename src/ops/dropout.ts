/** @file Dropout at inference: the input, unchanged, and a mask that keeps everything. Spec: ONNX Dropout-13. */
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import { type InferContext, inputType, type OpDef } from "../graph/op.js";
import { given, ndMap } from "./support/nd.js";

function refuseTraining(ctx: InferContext): void {
  if (!ctx.inputs[2] || ctx.constant(2)?.data[0] === 0) return;
  throw new DynnError(
    "model/attribute",
    `${showNode(ctx.node)}: training_mode is not a constant false, so the output would be random. Export the model in evaluation mode.`,
    { node: ctx.node.name },
  );
}

export const Dropout: OpDef = {
  type: "Dropout",
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
  isIdentity: (ctx) => !ctx.node.outputs[1],
};
