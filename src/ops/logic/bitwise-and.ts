/** @file BitwiseAnd: the bits that two integers share. Spec: ONNX BitwiseAnd-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseAnd = bitwise("BitwiseAnd", (x, w) => x & w);
