/** @file The graph IR: the content of an ONNX GraphProto as plain readonly data. Values are
 *  names. A node names its inputs and outputs; "" means that an input is left out, as in ONNX.
 *  Nodes are in topological order. No code changes a graph in place: passes return new graphs. */
import type { DType } from "../core/dtype.js";
import type { Dim, Shape } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";

/** The name of a value of a graph. */
export type ValueName = string;

/** The value of an attribute, with its kind. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph };

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One node: an operator with the names of its inputs and outputs. */
export interface Node {
  /** The operator, e.g. "Conv". */
  readonly opType: string;
  /** "" is the ai.onnx domain. */
  readonly domain: string;
  /** The node's name, which may be empty. */
  readonly name: string;
  /** Names of the values that the node reads. "" means that an optional input is left out. */
  readonly inputs: readonly ValueName[];
  /** Names of the values that the node makes. "" means that an optional output is left out. */
  readonly outputs: readonly ValueName[];
  /** The attributes, by name. */
  readonly attributes: Attributes;
}

/** Facts about a value that are known before the graph runs. Inference uses `value` to follow
 * shape arithmetic. */
export interface ValueType {
  /** Type of the elements. */
  readonly dtype: DType;
  /** Sizes. A string names an open size. */
  readonly shape: Shape;
  /** The elements of a small integer tensor, flattened, when inference knows them. An element is
   * a number, or the name of a dimension. */
  readonly value?: readonly Dim[];
}

/** A graph input or output. `shape` is undefined when the file states none. */
export interface ValueInfo {
  /** The value's name. */
  readonly name: ValueName;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Sizes. A string names an open size. Undefined means unknown. */
  readonly shape: Shape | undefined;
}

/** An ONNX graph as plain data. Passes return new graphs and never change this one. */
export interface Graph {
  /** The graph's name. */
  readonly name: string;
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  /** The values that the caller feeds. Initializers are not among them. */
  readonly inputs: readonly ValueInfo[];
  /** The values that a run returns. */
  readonly outputs: readonly ValueInfo[];
  /** The nodes in topological order. */
  readonly nodes: readonly Node[];
  /** Constants, by name. */
  readonly initializers: ReadonlyMap<ValueName, Tensor>;
  /** Types of intermediate values, stated or inferred. */
  readonly types: ReadonlyMap<ValueName, ValueType>;
}

/** The first axis of the first input: a name, or the number of samples in one run. */
export const batchOf = ({ inputs }: Pick<Graph, "inputs">): Dim | undefined => inputs[0]?.shape?.[0];

/** The inputs of a node without those that are left out. */
export const usedInputs = (node: Node): ValueName[] => node.inputs.filter((name) => name !== "");

/** The inputs without the empty names at the end. */
export function trimmedInputs(inputs: readonly ValueName[]): ValueName[] {
  let end = inputs.length;
  while (end > 0 && inputs[end - 1] === "") end--;
  return inputs.slice(0, end);
}

/** The sub-graphs in a node's attributes, in the order of the attributes. */
export const subgraphs = (node: Node): Graph[] =>
  Object.values(node.attributes).flatMap((a) => (a.kind === "graph" ? [a.value] : []));

/** The node with each sub-graph replaced by the result of `change`. */
export function withSubgraphs(node: Node, change: (inner: Graph) => Graph): Node {
  if (subgraphs(node).length === 0) return node;
  const changed = Object.entries(node.attributes).map(([key, a]): [string, Attribute] => [
    key,
    a.kind === "graph" ? { kind: "graph", value: change(a.value) } : a,
  ]);
  return { ...node, attributes: Object.fromEntries(changed) };
}

/** The names that a node reads, including those that its sub-graphs read from outer graphs. */
export const reads = (node: Node): ValueName[] => [...usedInputs(node), ...subgraphs(node).flatMap(outerNames)];

/** Names that a graph reads but does not make. */
function outerNames(graph: Graph): ValueName[] {
  const own = new Set([
    ...graph.inputs.map((input) => input.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => node.outputs),
  ]);
  return [...graph.nodes.flatMap(reads), ...graph.outputs.map((output) => output.name)].filter(
    (name) => !own.has(name),
  );
}

/** The node that makes each value. */
export function producers(graph: Graph): Map<ValueName, Node> {
  const map = new Map<ValueName, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name) map.set(name, node);
  return map;
}

/** The nodes that read each value, in order. */
export function consumers(graph: Graph): Map<ValueName, Node[]> {
  const map = new Map<ValueName, Node[]>();
  for (const node of graph.nodes)
    for (const name of new Set(reads(node))) {
      const list = map.get(name);
      if (list) list.push(node);
      else map.set(name, [node]);
    }
  return map;
}

/** Nodes that the wanted values need, in the graph's order. */
export function ancestors(graph: Graph, wanted: Iterable<ValueName>): Node[] {
  const needed = new Set(wanted);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of reads(node)) needed.add(name);
    kept.push(node);
  }
  return kept.reverse();
}

/** Values that depend on any of `sources`, including the sources.
 * @param follow the values to follow; a dependence only through other values does not count */
export function descendants(
  graph: Graph,
  sources: Iterable<ValueName>,
  follow: (name: ValueName) => boolean = () => true,
): Set<ValueName> {
  const reached = new Set(sources);
  for (const node of graph.nodes)
    if (node.inputs.some((name) => reached.has(name)))
      for (const name of node.outputs) if (name && follow(name)) reached.add(name);
  return reached;
}
