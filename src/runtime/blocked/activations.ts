/** @file The activations that a blocked convolution applies while it writes its output. Source:
 *  ONNX Runtime, fused activations of its Conv. */
import { toNumbers } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { elementwise } from "./elementwise.js";
import { activated, hasActivation } from "./fused.js";
import type { Layout } from "./layout.js";
import type { Rule } from "./rule.js";

/** The parameters of an activation. Undefined when they are not known before the graph runs. */
type Parameters = (l: Layout, node: Node) => readonly number[] | undefined;

const none: Parameters = () => [];

/** Lower and upper bound: inputs since opset 11, attributes before. The default is the largest
 * float32. */
const bounds: Parameters = (l, node) => {
  const [low, high] = (["min", "max"] as const).map((name, i) => {
    const [input, stated] = [node.inputs[i + 1], attribute(node, name, "float")];
    if (!input) return stated ?? (i === 0 ? -LARGEST : LARGEST);
    const value = l.constant(input);
    return value && toNumbers(value)[0];
  });
  return low === undefined || high === undefined ? undefined : [low, high];
};

const LARGEST = 3.4028234663852886e38;

export const ACTIVATIONS: ReadonlyMap<string, Parameters> = new Map([
  ["Relu", none],
  ["Sigmoid", none],
  ["Tanh", none],
  ["LeakyRelu", (_, node) => [attribute(node, "alpha", "float") ?? 0.01]],
  ["HardSigmoid", (_, node) => [attribute(node, "alpha", "float") ?? 0.2, attribute(node, "beta", "float") ?? 0.5]],
  ["Clip", bounds],
]);

export const activation: Rule = (l, node) => {
  const [x, output] = [node.inputs[0], node.outputs[0]];
  const conv = l.ownConv(x);
  const parameters = ACTIVATIONS.get(node.opType)?.(l, node);
  if (!conv || hasActivation(conv) || !parameters) return elementwise(l, node);
  l.refit(x, output, activated(conv, node.opType, parameters));
  return true;
};
