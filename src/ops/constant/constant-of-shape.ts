/** @file ConstantOfShape: one value everywhere; float32 zero unless said otherwise. Spec: ONNX ConstantOfShape-9. */
import { sizeOf } from "../../core/shape.js";
import { toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { elements, unknown, unknownDim } from "../support/known.js";
import { given } from "../support/nd.js";

export const ConstantOfShape: OpDef = {
  type: "ConstantOfShape",
  takes: ["vector"],
  infer: (ctx) => {
    const rank = inputType(ctx, 0).shape[0];
    if (typeof rank !== "number" || rank > 64) throw unknown(ctx.node, "the rank of the result is not known");
    const shape = elements(ctx, 0) ?? Array.from({ length: rank }, (_, i) => unknownDim(ctx.node, i));
    if (shape.some((d) => typeof d === "number" && d < 0))
      throw mismatch(ctx.node, `shape [${shape}] has a negative length. Export the model again.`, { shape });
    return [{ dtype: attribute(ctx.node, "value", "tensor")?.dtype ?? "float32", shape }];
  },
  vjp: { none: "its output does not depend on numbers" },
  run: (inputs, { node }) => {
    const value = attribute(node, "value", "tensor");
    const dims = [...given(inputs, 0).data];
    return [{ dims, data: new Float64Array(sizeOf(dims)).fill(value ? toNumbers(value)[0] : 0) }];
  },
};
