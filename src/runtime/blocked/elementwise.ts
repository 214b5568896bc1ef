/** @file Nodes that work element by element do not see the layout. */
import type { ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";
import { equal, isAtHand, isScalar, keepLayout, type Rule } from "./rule.js";

export const ELEMENTWISE = new Set([
  "Add",
  "Mul",
  "Sub",
  "Div",
  "Max",
  "Min",
  "Relu",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Equal",
  "And",
  "Or",
  "Not",
  "Cast",
  "Where",
  "Neg",
  "Abs",
  "Sign",
  "Sqrt",
  "Exp",
  "Log",
  "Sigmoid",
  "Tanh",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Clip",
  "Reciprocal",
  "Identity",
]);

/** All images have one shape, and the rest are scalars. */
export const elementwise: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const images = node.inputs.filter((name) => !isScalar(l, name));
  const same = images.every((name) => l.fits(name) && equal(l.shape(name), l.shape(output)));
  if (images.length === 0 || !same || !images.some((name) => l.isBlocked(name))) return false;
  if (!images.every((name) => isAtHand(l, name)) || !staysBlocked(l, output)) return false;
  keepLayout(l, node, images);
  return true;
};

/** Only floats can change their layout: another type must stay as it is all the way to where it becomes a float. */
function staysBlocked(l: Layout, name: ValueName): boolean {
  if (l.isFloat(name)) return true;
  if (l.graph.outputs.some((o) => o.name === name)) return false;
  const takes = (input: ValueName): boolean =>
    input === name || isScalar(l, input) || (equal(l.shape(input), l.shape(name)) && isAtHand(l, input));
  return l
    .readers(name)
    .every(
      (node) =>
        ELEMENTWISE.has(node.opType) && node.inputs.every(takes) && staysBlocked(l, node.outputs[0] as ValueName),
    );
}
