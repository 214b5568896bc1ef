/** @file QLinearAdd of ONNX Runtime: the sum of two quantized tensors, quantized.
 *  Spec: com.microsoft QLinearAdd-1. */
import { Add } from "../arithmetic/add.js";
import { onRealNumbers, TWO_TENSORS } from "../support/quantized.js";

export const QLinearAdd = onRealNumbers("QLinearAdd", Add, TWO_TENSORS);
