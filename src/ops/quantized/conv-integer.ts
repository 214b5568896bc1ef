/** @file ConvInteger: Conv of 8-bit integers without their zero points, as int32. Spec: ONNX
 *  ConvInteger-10. */
import type { OpDef } from "../../graph/op.js";
import { Conv } from "../convolution/conv.js";
import { QUANTIZED } from "../support/quantize.js";
import { integerProduct } from "../support/quantized.js";

const product = integerProduct(Conv, { x: 0, w: 1, xZero: 2, wZero: 3 }, { x: () => 1, w: () => 0 });

export const ConvInteger: OpDef = {
  type: "ConvInteger",
  takes: ["any"],
  infer: (ctx) => [product.infer(ctx)],
  vjp: QUANTIZED,
  run: (inputs, ctx) => [product.run(inputs, ctx)],
  macs: product.macs,
};
