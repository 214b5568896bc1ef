/** @file DequantizeLinear: (x - zero point) * scale, for an integer x. The gradient of x is that
 *  of a real number in place of the integer. Spec: ONNX DequantizeLinear-21. */
import { inputType, type OpDef } from "../../graph/op.js";
import { given } from "../support/nd.js";
import { scaleIndex } from "../support/quantize.js";
import { broadcastScales } from "./quantize-linear.js";

export const DequantizeLinear: OpDef = {
  type: "DequantizeLinear",
  takes: ["T", "float", "T"],
  limit: "4-bit integers and 8-bit floats are refused. Scales per block have no gradient",
  infer: (ctx) => [{ dtype: inputType(ctx, 1).dtype, shape: inputType(ctx, 0).shape }],
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    return dy === undefined || !ctx.needs(0) ? [] : [ctx.b.op("Mul", [dy, broadcastScales(ctx, 1)])];
  },
  run: (inputs, { node }) => {
    const [x, scale, zero] = [given(inputs, 0), given(inputs, 1), inputs[2]];
    const at = scaleIndex(node, x, scale);
    return [{ dims: x.dims, data: x.data.map((v, i) => (v - (zero?.data[at(i)] ?? 0)) * scale.data[at(i)]) }];
  },
};
