/** @file QLinearConcat of ONNX Runtime: Concat of quantized tensors, each with its own scale. Spec:
 *  com.microsoft QLinearConcat-1. */
import { Concat } from "../shape/concat.js";
import { onRealNumbers } from "../support/quantized.js";

const tensors = (count: number): readonly number[] =>
  Array.from({ length: Math.floor((count - 2) / 3) }, (_, i) => 2 + 3 * i);

export const QLinearConcat = onRealNumbers("QLinearConcat", Concat, { tensors, scale: 0 });
