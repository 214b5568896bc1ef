/** @file Sign: -1, 0 or 1. Its gradient is zero everywhere, as in PyTorch. Spec: ONNX Sign-13. */
import { unary } from "../support/elementwise.js";

export const Sign = unary("Sign", Math.sign, () => undefined);
