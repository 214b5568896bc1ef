/** @file DynamicQuantizeLinear: x as uint8, with the scale and the zero point that its least and
 *  largest element give. Zero is always a step. Spec: ONNX DynamicQuantizeLinear-11. */
import { inputType, type OpDef } from "../../graph/op.js";
import { given, ndMap, ndOf } from "../support/nd.js";
import { QUANTIZED, rangeOf, toStep } from "../support/quantize.js";
import { roundHalfEven } from "../support/scalar.js";

export const DynamicQuantizeLinear: OpDef = {
  type: "DynamicQuantizeLinear",
  takes: ["float"],
  infer: (ctx) => [
    { dtype: "uint8", shape: inputType(ctx, 0).shape },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  vjp: QUANTIZED,
  run: (inputs) => {
    const x = given(inputs, 0);
    const low = x.data.reduce((m, v) => Math.min(m, v), 0);
    const high = x.data.reduce((m, v) => Math.max(m, v), 0);
    const [least, most] = rangeOf("uint8");
    // Zeros alone have the range 0. ONNX Runtime then takes the scale 1.
    const scale = high === low ? 1 : Math.fround(Math.fround(high - low) / most);
    const zero = roundHalfEven(Math.max(least, Math.min(most, Math.fround(least - Math.fround(low / scale)))));
    return [ndMap(x, (v) => toStep(Math.fround(v / scale), zero, [least, most])), ndOf([], [scale]), ndOf([], [zero])];
  },
  scalesBatch: true,
};
