/** @file QLinearLeakyRelu of ONNX Runtime: the LeakyRelu of a quantized tensor, quantized.
 *  Spec: com.microsoft QLinearLeakyRelu-1. */
import { LeakyRelu } from "../activation/leaky-relu.js";
import { ONE_TENSOR, onRealNumbers } from "../support/quantized.js";

export const QLinearLeakyRelu = onRealNumbers("QLinearLeakyRelu", LeakyRelu, ONE_TENSOR);
