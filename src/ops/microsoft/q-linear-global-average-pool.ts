/** @file QLinearGlobalAveragePool of ONNX Runtime: the GlobalAveragePool of a quantized tensor,
 *  quantized. Spec: com.microsoft QLinearGlobalAveragePool-1. */
import { GlobalAveragePool } from "../pooling/global-average-pool.js";
import { ONE_TENSOR, onRealNumbers } from "../support/quantized.js";

export const QLinearGlobalAveragePool = onRealNumbers("QLinearGlobalAveragePool", GlobalAveragePool, ONE_TENSOR);
