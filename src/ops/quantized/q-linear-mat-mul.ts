/** @file QLinearMatMul: MatMul of quantized matrices, with a quantized result. B has one scale, or
 *  one per column. Spec: ONNX QLinearMatMul-21. */
import { inputType, type OpDef } from "../../graph/op.js";
import { MatMul } from "../matrix/mat-mul.js";
import { given } from "../support/nd.js";
import { QUANTIZED } from "../support/quantize.js";
import { checkOneScale, integerProduct, MATRIX_AXES, requantized } from "../support/quantized.js";

const product = integerProduct(MatMul, { x: 0, w: 3, xZero: 2, wZero: 5 }, MATRIX_AXES);

export const QLinearMatMul: OpDef = {
  type: "QLinearMatMul",
  takes: ["any"],
  limit: "one scale per row of A is refused",
  infer: (ctx) => {
    checkOneScale(ctx, 1);
    return [{ ...product.infer(ctx), dtype: inputType(ctx, 7).dtype }];
  },
  vjp: QUANTIZED,
  run: (inputs, ctx) => {
    const y = { scale: given(inputs, 6), zero: inputs[7], dtype: ctx.inputTypes[7] ?? "uint8" };
    const sums = product.run(inputs, ctx);
    return [requantized(sums, { a: given(inputs, 1), b: given(inputs, 4), axis: sums.dims.length - 1 }, y)];
  },
  macs: product.macs,
};
