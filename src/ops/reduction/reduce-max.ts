/** @file ReduceMax: the largest element over axes. Elements that tie share the gradient evenly, as in torch.amax.
 *  Spec: ONNX ReduceMax-18. */
import { reduction, shareAmongEqual } from "../support/reduction.js";

export const ReduceMax = reduction(
  "ReduceMax",
  (line) => line.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  shareAmongEqual,
);
