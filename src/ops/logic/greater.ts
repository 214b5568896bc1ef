/** @file Greater: x > w, with broadcasting. Spec: ONNX Greater-13. */
import { relation } from "../support/predicate.js";

export const Greater = relation("Greater", (x, w) => x > w);
