/** @file LogSoftmax: log-probabilities along an axis, with the maximum subtracted first.
 *  Spec: ONNX LogSoftmax-13 (one axis), LogSoftmax-11 (all axes from one on). */
import type { ValueName } from "../graph/graph.js";
import { reduceSum } from "./support/emit.js";
import { distribution } from "./support/softmax.js";

// dx = dy - exp(y) * sum(dy)
export const LogSoftmax = distribution(
  "LogSoftmax",
  (logProbability) => logProbability,
  ({ b, node }, dy, axes) => {
    const probabilities = b.op("Exp", [node.outputs[0] as ValueName]);
    return b.op("Sub", [dy, b.op("Mul", [probabilities, reduceSum(b, dy, axes, true)])], {}, "grad");
  },
);
