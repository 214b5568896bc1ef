/** @file ArgMin: index of the smallest element along an axis. Spec: ONNX ArgMin-13. */
import { arg } from "../support/arg.js";

export const ArgMin = arg("ArgMin", (a, b) => a < b);
