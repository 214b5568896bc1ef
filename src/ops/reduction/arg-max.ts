/** @file ArgMax: index of the largest element along an axis. Spec: ONNX ArgMax-13. */
import { arg } from "../support/arg.js";

export const ArgMax = arg("ArgMax", (a, b) => a > b);
