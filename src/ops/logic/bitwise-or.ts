/** @file BitwiseOr: the bits that are set in at least one of two integers. Spec: ONNX
 *  BitwiseOr-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseOr = bitwise("BitwiseOr", (x, w) => x | w);
