/** @file BitwiseAnd: the bits that are set in both integers. Spec: ONNX BitwiseAnd-18. */
import { bitwise } from "../support/bits.js";

export const BitwiseAnd = bitwise("BitwiseAnd", (x, w) => x & w);
