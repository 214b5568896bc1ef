/** @file Round: the nearest integer, halves to the even one. Its gradient is zero everywhere, as in PyTorch.
 *  Spec: ONNX Round-11. */
import { unary } from "../support/elementwise.js";
import { roundHalfEven } from "../support/scalar.js";

export const Round = unary("Round", roundHalfEven, () => undefined);
