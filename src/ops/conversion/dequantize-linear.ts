/** @file DequantizeLinear: (x - zero point) * scale, of an integer x. Spec: ONNX DequantizeLinear-21. */
import { inputType, type OpDef } from "../../graph/op.js";
import { given } from "../support/nd.js";
import { scaleIndex } from "../support/quantize.js";

export const DequantizeLinear: OpDef = {
  type: "DequantizeLinear",
  takes: ["T", "float", "T"],
  limit: "4-bit integers and 8-bit floats are refused",
  infer: (ctx) => [{ dtype: inputType(ctx, 1).dtype, shape: inputType(ctx, 0).shape }],
  vjp: { none: "its input is an integer" },
  run: (inputs, { node }) => {
    const [x, scale, zero] = [given(inputs, 0), given(inputs, 1), inputs[2]];
    const at = scaleIndex(node, x, scale);
    return [{ dims: x.dims, data: x.data.map((v, i) => (v - (zero?.data[at(i)] ?? 0)) * scale.data[at(i)]) }];
  },
};
