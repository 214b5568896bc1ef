/** @file QLinearSigmoid of ONNX Runtime: the Sigmoid of a quantized tensor, quantized.
 *  Spec: com.microsoft QLinearSigmoid-1. */
import { Sigmoid } from "../activation/sigmoid.js";
import { ONE_TENSOR, onRealNumbers } from "../support/quantized.js";

export const QLinearSigmoid = onRealNumbers("QLinearSigmoid", Sigmoid, ONE_TENSOR);
