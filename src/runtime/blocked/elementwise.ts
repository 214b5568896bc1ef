/** @file Rewrites elementwise nodes, whose result does not depend on the layout. */
import { isStatic, sizeOf } from "../../core/shape.js";
import type { ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";
import { equal, isAtHand, isPerSample, isScalar, keepLayout, type Rule } from "./rule.js";

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

/** An elementwise node whose images have one shape. Its other inputs are scalars, or hold one
 * number for each sample. */
export const elementwise: Rule = (l, node) => inBlocks(l, node) || flattened(l, node);

/** From this number of elements on, reshaping is faster. */
const WORTH_FLATTENING = 1024;

/** ONNX Runtime processes [a, b, 1, 1] and a scalar element by element, seventy times slower than
 * [a * b] and the scalar. */
const flattened: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const shape = l.shape(output);
  const images = node.inputs.filter((name) => !isScalar(l, name));
  const slow = shape.length > 1 && shape.at(-1) === 1 && images.length < node.inputs.length;
  if (!slow || !isStatic(shape) || sizeOf(shape) < WORTH_FLATTENING) return false;
  if (!images.every((name) => equal(l.shape(name), shape))) return false;
  const inputs = node.inputs.map((name) =>
    images.includes(name) ? flat(l, l.plain(name)) : flat(l, l.plain(name), []),
  );
  const made = l.b.fresh(`${output}.flat`);
  l.push({ ...node, inputs, outputs: [made] });
  l.push({
    opType: "Reshape",
    domain: "",
    name: "",
    inputs: [made, l.b.ints(shape)],
    outputs: [output],
    attributes: {},
  });
  l.madePlain(output);
  return true;
};

const flat = (l: Layout, name: ValueName, dims: readonly number[] = [-1]): ValueName =>
  l.op("Reshape", [name, l.b.ints(dims)]);

const inBlocks: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const images = node.inputs.filter((name) => !isScalar(l, name) && !isPerSample(l, name, output));
  const same = images.every((name) => l.fits(name) && equal(l.shape(name), l.shape(output)));
  if (images.length === 0 || !same || !images.some((name) => l.isBlocked(name))) return false;
  if (!images.every((name) => isAtHand(l, name)) || !staysBlocked(l, output)) return false;
  keepLayout(l, node, images);
  return true;
};

/** Whether all readers of a value can stay in blocked layout. Only floats can change their layout:
 * a value of another type must stay blocked until it becomes a float. */
function staysBlocked(l: Layout, name: ValueName): boolean {
  if (l.isFloat(name)) return true;
  if (l.graph.outputs.some((o) => o.name === name)) return false;
  const takes = (input: ValueName): boolean =>
    input === name ||
    isScalar(l, input) ||
    isPerSample(l, input, name) ||
    (equal(l.shape(input), l.shape(name)) && isAtHand(l, input));
  return l
    .readers(name)
    .every((node) => ELEMENTWISE.has(node.opType) && node.inputs.every(takes) && staysBlocked(l, node.outputs[0]));
}
