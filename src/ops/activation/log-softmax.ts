import { reduceSum } from "../support/emit.js";
import { distribution } from "../support/softmax.js";

// dx = dy - exp(y) * sum(dy)
export const LogSoftmax = distribution(
  "LogSoftmax",
  (logProbability) => logProbability,
  ({ b, node }, dy, axes) => {
    const probabilities = b.op("Exp", [node.outputs[0]]);
    return b.op("Sub", [dy, b.op("Mul", [probabilities, reduceSum(b, dy, axes, true)])], {}, "grad");
  },
);
