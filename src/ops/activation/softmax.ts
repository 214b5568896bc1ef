import type { OpDef } from "../../graph/op.js";
import { reduceSum } from "../support/emit.js";
import { distribution } from "../support/softmax.js";

// dx = y * (dy - sum(dy * y))
const probabilities = distribution("Softmax", Math.exp, ({ b, node }, dy, axes) => {
  const y = node.outputs[0];
  const expected = reduceSum(b, b.op("Mul", [dy, y]), axes, true);
  return b.op("Mul", [y, b.op("Sub", [dy, expected])], {}, "grad");
});

export const Softmax: OpDef = { ...probabilities, logitsInput: 0 };
