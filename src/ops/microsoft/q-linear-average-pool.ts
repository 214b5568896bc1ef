/** @file QLinearAveragePool of ONNX Runtime: the AveragePool of a quantized tensor, quantized.
 *  Spec: com.microsoft QLinearAveragePool-1. */
import { AveragePool } from "../pooling/average-pool.js";
import { ONE_TENSOR, onRealNumbers } from "../support/quantized.js";

export const QLinearAveragePool = onRealNumbers("QLinearAveragePool", AveragePool, ONE_TENSOR);
