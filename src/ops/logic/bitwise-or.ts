/** @file BitwiseOr: the bits of either of two integers. Spec: ONNX BitwiseOr-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseOr = bitwise("BitwiseOr", (x, w) => x | w);
