/** @file QLinearConv: Conv of quantized images and weights, with a quantized result. Weights have
 *  one scale, or one per output channel. Spec: ONNX QLinearConv-10. */
import { inputType, type OpDef } from "../../graph/op.js";
import { Conv } from "../convolution/conv.js";
import { given } from "../support/nd.js";
import { QUANTIZED } from "../support/quantize.js";
import { integerProduct, requantized } from "../support/quantized.js";

const product = integerProduct(Conv, { x: 0, w: 3, xZero: 2, wZero: 5, bias: 8 }, { x: () => 1, w: () => 0 });

export const QLinearConv: OpDef = {
  type: "QLinearConv",
  takes: ["any"],
  infer: (ctx) => [{ ...product.infer(ctx), dtype: inputType(ctx, 7).dtype }],
  vjp: QUANTIZED,
  run: (inputs, ctx) => {
    const y = { scale: given(inputs, 6), zero: inputs[7], dtype: ctx.inputTypes[7] ?? "uint8" };
    return [requantized(product.run(inputs, ctx), { a: given(inputs, 1), b: given(inputs, 4), axis: 1 }, y)];
  },
  macs: product.macs,
};
