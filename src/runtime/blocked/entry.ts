/** @file Keeps residual chains in the blocked layout that ONNX Runtime gives to convolutions with constant weights. It adds two blocked
 *  images inside a convolution; but where one of them is plain (an input of the graph, a padded shortcut), the sum falls back to the plain
 *  layout, and with it every sum behind. So plain images that are added to blocked ones are taken in by an identity convolution, one weight
 *  of 1 per channel. Values change by no more than the order of additions. */
import { isStatic } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { type Attribute, int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, Node, ValueName, ValueType } from "../../graph/graph.js";

type Types = ReadonlyMap<ValueName, ValueType>;

/** Whether ONNX Runtime gives a node's output blocked: told of its constants, and of which of its inputs are blocked. */
type Rule = (node: Node, constants: Graph["initializers"], blocked: readonly boolean[]) => boolean;

const always: Rule = () => true;
const asFirst: Rule = (_, __, [first]) => first === true;
const asAll: Rule = (_, __, blocked) => blocked.every(Boolean);

const RULES: Readonly<Record<string, Rule>> = {
  Conv: (node, constants) => constants.has(node.inputs[1] ?? ""),
  MaxPool: (node) => node.outputs.length === 1,
  AveragePool: always,
  GlobalMaxPool: always,
  GlobalAveragePool: always,
  Relu: asFirst,
  Sigmoid: asFirst,
  Tanh: asFirst,
  BatchNormalization: asFirst,
  Add: asAll,
  Sum: asAll,
  Mul: asAll,
  Concat: asAll,
};

/** Sums, whose plain images are taken in; and what else is better off with the image that was taken in. */
const SUMS = new Set(["Add", "Sum"]);
const READERS = new Set([...SUMS, "Conv", "MaxPool", "AveragePool"]);

/** @param graph with types stated, those of its sub-graphs too
 *  @param block channels in a block on this machine
 *  @param outer types of the values around a sub-graph */
export function enterBlocked(graph: Graph, block: number, outer: Types = new Map()): Graph {
  const types = new Map([...outer, ...graph.types]);
  const nodes = graph.nodes.map((node) => withInner(node, (inner) => enterBlocked(inner, block, types)));
  const plain = plainAddends({ ...graph, nodes }, types, block);
  if (plain.size === 0) return { ...graph, nodes };
  const b = new GraphBuilder(graph);
  const entered = new Map([...plain].map((name) => [name, b.fresh(`${name}/blocked`)]));
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const entries = new Map([...entered].map(([from, to]) => [from, identity(b, from, to, types)]));
  const placed = nodes.flatMap((node) => [
    READERS.has(node.opType) ? { ...node, inputs: node.inputs.map((name) => entered.get(name) ?? name) } : node,
    ...node.outputs.flatMap((name) => entries.get(name) ?? []),
  ]);
  const first = [...entries].filter(([name]) => !made.has(name)).map(([, entry]) => entry);
  return { ...b.build(), nodes: [...first, ...placed] };
}

/** The node with its sub-graphs changed. */
function withInner(node: Node, change: (inner: Graph) => Graph): Node {
  const entries = Object.entries(node.attributes);
  if (!entries.some(([, a]) => a.kind === "graph")) return node;
  const changed = entries.map(([key, a]): [string, Attribute] => [
    key,
    a.kind === "graph" ? { kind: "graph", value: change(a.value) } : a,
  ]);
  return { ...node, attributes: Object.fromEntries(changed) };
}

/** Plain images that are added to blocked ones. */
function plainAddends(graph: Graph, types: Types, block: number): Set<ValueName> {
  const fits = (name: ValueName): boolean => fitsBlocks(types.get(name), block);
  const blocked = new Set<ValueName>();
  const plain = new Set<ValueName>();
  for (const node of graph.nodes) {
    const [output] = node.outputs as readonly [ValueName];
    const shape = types.get(output)?.shape.join();
    const same = (name: ValueName): boolean => fits(name) && types.get(name)?.shape.join() === shape;
    if (SUMS.has(node.opType) && node.inputs.some((name) => blocked.has(name)) && node.inputs.every(same))
      for (const name of node.inputs.filter((input) => !blocked.has(input) && !graph.initializers.has(input))) {
        plain.add(name);
        blocked.add(name);
      }
    const inputs = node.inputs.map((name) => blocked.has(name));
    if (fits(output) && RULES[node.opType]?.(node, graph.initializers, inputs)) blocked.add(output);
  }
  return plain;
}

const fitsBlocks = (type: ValueType | undefined, block: number): boolean =>
  type?.dtype === "float32" &&
  type.shape.length === 4 &&
  isStatic(type.shape.slice(1)) &&
  (type.shape[1] as number) % block === 0;

function identity(b: GraphBuilder, from: ValueName, to: ValueName, types: Types): Node {
  const type = types.get(from) as ValueType;
  const channels = type.shape[1] as number;
  const ones = b.constant(fromNumbers("float32", [channels, 1, 1, 1], new Array<number>(channels).fill(1)), "ones");
  b.setType(to, type);
  return {
    opType: "Conv",
    domain: "",
    name: "",
    inputs: [from, ones],
    outputs: [to],
    attributes: { group: int(channels) },
  };
}
