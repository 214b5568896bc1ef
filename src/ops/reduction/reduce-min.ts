/** @file ReduceMin: the smallest element over axes. Elements that tie share the gradient evenly, as in torch.amin.
 *  Spec: ONNX ReduceMin-18. */
import { reduction, shareAmongEqual } from "../support/reduction.js";

export const ReduceMin = reduction(
  "ReduceMin",
  (line) => line.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  shareAmongEqual,
);
