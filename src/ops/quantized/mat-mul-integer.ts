/** @file MatMulInteger: MatMul of 8-bit integers without their zero points, as int32. A has its
 *  zero points per row, and B per column. Spec: ONNX MatMulInteger-10. */
import type { OpDef } from "../../graph/op.js";
import { MatMul } from "../matrix/mat-mul.js";
import { QUANTIZED } from "../support/quantize.js";
import { integerProduct, MATRIX_AXES } from "../support/quantized.js";

const product = integerProduct(MatMul, { x: 0, w: 1, xZero: 2, wZero: 3 }, MATRIX_AXES);

export const MatMulInteger: OpDef = {
  type: "MatMulInteger",
  takes: ["any"],
  infer: (ctx) => [product.infer(ctx)],
  vjp: QUANTIZED,
  run: (inputs, ctx) => [product.run(inputs, ctx)],
  macs: product.macs,
};
