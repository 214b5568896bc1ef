/** @file QLinearMul of ONNX Runtime: the product of two quantized tensors, quantized.
 *  Spec: com.microsoft QLinearMul-1. */
import { Mul } from "../arithmetic/mul.js";
import { onRealNumbers, TWO_TENSORS } from "../support/quantized.js";

export const QLinearMul = onRealNumbers("QLinearMul", Mul, TWO_TENSORS);
