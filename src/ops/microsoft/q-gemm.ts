/** @file QGemm of ONNX Runtime: Gemm of quantized matrices with an int32 bias. The result is
 *  quantized, or float32 when its scale is left out. Spec: com.microsoft QGemm-1. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { Gemm } from "../matrix/gemm.js";
import { given } from "../support/nd.js";
import { QUANTIZED } from "../support/quantize.js";
import { checkOneScale, dequantized, type IntegerProduct, integerProduct, requantized } from "../support/quantized.js";

const product = (transB: boolean) =>
  integerProduct(Gemm, { x: 0, w: 3, xZero: 2, wZero: 5, bias: 6 }, { x: () => 0, w: () => (transB ? 0 : 1) });
const productOf = (node: Node): IntegerProduct => product(attribute(node, "transB", "int") === 1);

export const QGemm: OpDef = {
  type: "QGemm",
  takes: ["any"],
  limit: "one scale per row of A, and an alpha other than 1 are refused",
  infer: (ctx) => {
    checkOneScale(ctx, 1);
    if ((attribute(ctx.node, "alpha", "float") ?? 1) !== 1)
      throw mismatch(ctx.node, "alpha is not 1. Quantize the model again, with a factor of 1.");
    return [{ ...productOf(ctx.node).infer(ctx), dtype: ctx.inputs[7] ? inputType(ctx, 8).dtype : "float32" }];
  },
  vjp: QUANTIZED,
  run: (inputs, ctx) => {
    const sums = productOf(ctx.node).run(inputs, ctx);
    const scales = { a: given(inputs, 1), b: given(inputs, 4), axis: 1 };
    const y = { scale: inputs[7], zero: inputs[8], dtype: ctx.inputTypes[8] ?? "uint8" };
    return [y.scale ? requantized(sums, scales, { ...y, scale: y.scale }) : dequantized(sums, scales)];
  },
  macs: ({ node, inputs, outputs }) => productOf(node).macs({ node, inputs, outputs }),
};
