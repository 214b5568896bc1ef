/** @file ReduceLogSumExp: logarithm of the sum of exponentials over axes. The maximum is subtracted first, so that
 *  large elements do not overflow. Spec: ONNX ReduceLogSumExp-18. */

import { reduction } from "../support/reduction.js";
import { logSumExp } from "../support/scalar.js";

// dx = dy * exp(x - y)
export const ReduceLogSumExp = reduction("ReduceLogSumExp", logSumExp, ({ b, x, y, dy, keep }) =>
  b.op("Mul", [dy, b.op("Exp", [b.op("Sub", [x, keep(y)])])], {}, "grad"),
);
