/** @file BitwiseXor: the bits in which two integers differ. Spec: ONNX BitwiseXor-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseXor = bitwise("BitwiseXor", (x, w) => x ^ w);
