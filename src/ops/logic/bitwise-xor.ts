/** @file BitwiseXor: the bits that are set in exactly one of two integers. Spec: ONNX
 *  BitwiseXor-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseXor = bitwise("BitwiseXor", (x, w) => x ^ w);
