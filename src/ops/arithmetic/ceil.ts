/** @file Ceil: the smallest integer that is not below x. Its gradient is zero everywhere, as in PyTorch. Spec: ONNX
 *  Ceil-13. */
import { unary } from "../support/elementwise.js";

export const Ceil = unary("Ceil", Math.ceil, () => undefined);
