/** @file QLinearSoftmax of ONNX Runtime: Softmax of a quantized tensor, quantized. Its attribute
 *  `opset` says which form of Softmax it has. Spec: com.microsoft QLinearSoftmax-1. */
import { attribute } from "../../graph/attributes.js";
import { Softmax } from "../activation/softmax.js";
import { ONE_TENSOR, onRealNumbers } from "../support/quantized.js";

export const QLinearSoftmax = onRealNumbers("QLinearSoftmax", Softmax, ONE_TENSOR, (node) =>
  attribute(node, "opset", "int"),
);
