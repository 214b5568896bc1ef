/** @file The graph IR: what an ONNX GraphProto says, as plain readonly data.
 *  Values are names; a node names its inputs and outputs; "" stands for an input that is left out (as in ONNX).
 *  Nodes are in topological order. Graphs are never changed in place: passes return new ones. */
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

/** One node: an operator with the names of what it reads and makes. */
export interface Node {
  /** The operator, e.g. "Conv". */
  readonly opType: string;
  /** "" is the ai.onnx domain. */
  readonly domain: string;
  /** The node's name; it may be empty. */
  readonly name: string;
  /** Names of the values that it reads. "" stands for an optional input that is left out. */
  readonly inputs: readonly ValueName[];
  /** Names of the values that it makes. "" stands for an optional output that is left out. */
  readonly outputs: readonly ValueName[];
  /** The attributes by name. */
  readonly attributes: Attributes;
}

/** What is known of a value before running. `value` holds the elements of a small integer tensor, where they are known
 *  (numbers, or names of dimensions that the batch decides), flattened; shape arithmetic lives there. */
export interface ValueType {
  /** Type of the elements. */
  readonly dtype: DType;
  /** Sizes; a text stands for a size that is open. */
  readonly shape: Shape;
  /** The elements themselves, of small integer values that are known. */
  readonly value?: readonly Dim[];
}

/** A graph input or output. A shape that the file leaves out is undefined. */
export interface ValueInfo {
  /** The value's name. */
  readonly name: ValueName;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Sizes; a text stands for a size that is open. Undefined: unknown. */
  readonly shape: Shape | undefined;
}

/** An ONNX graph as plain data. Nothing changes it; passes make new ones. */
export interface Graph {
  /** The graph's name. */
  readonly name: string;
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  /** What a run is given. Initializers are not among them. */
  readonly inputs: readonly ValueInfo[];
  /** What a run returns. */
  readonly outputs: readonly ValueInfo[];
  /** The nodes in an order in which they can run. */
  readonly nodes: readonly Node[];
  /** Constants by name. */
  readonly initializers: ReadonlyMap<ValueName, Tensor>;
  /** Types of values in between, where stated or inferred. */
  readonly types: ReadonlyMap<ValueName, ValueType>;
}

/** Node inputs that are there (an input left out is ""). */
export const usedInputs = (node: Node): ValueName[] => node.inputs.filter((name) => name !== "");

/** Inputs without the left-out ones at the end. */
export function trimmedInputs(inputs: readonly ValueName[]): ValueName[] {
  let end = inputs.length;
  while (end > 0 && inputs[end - 1] === "") end--;
  return inputs.slice(0, end);
}

/** The sub-graphs that a node carries, in the order of its attributes. */
export const subgraphs = (node: Node): Graph[] =>
  Object.values(node.attributes).flatMap((a) => (a.kind === "graph" ? [a.value] : []));

/** The node with its sub-graphs changed. */
export function withSubgraphs(node: Node, change: (inner: Graph) => Graph): Node {
  if (subgraphs(node).length === 0) return node;
  const changed = Object.entries(node.attributes).map(([key, a]): [string, Attribute] => [
    key,
    a.kind === "graph" ? { kind: "graph", value: change(a.value) } : a,
  ]);
  return { ...node, attributes: Object.fromEntries(changed) };
}

/** The names that a node reads, those included that its sub-graphs take from around them. */
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

/** Values that depend on any of `sources`, these included.
 * @param follow the values to go through; others are left out, with what depends on them alone */
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
