/** @file Unique names over nested graphs. As ONNX requires, no outer or inner graph uses the
 *  name of another value. Source: ONNX IR specification, "Names within a graph". */
import type { Tensor } from "../core/tensor.js";
import type { Attribute } from "./attributes.js";
import { type Graph, type Node, subgraphs, type ValueInfo, type ValueName, withSubgraphs } from "./graph.js";

interface Scope {
  /** The new name of every visible value. */
  readonly names: ReadonlyMap<ValueName, ValueName>;
  /** The visible constants, by their old names. */
  readonly constants: ReadonlyMap<ValueName, Tensor>;
}

/** Every name in a graph and in its sub-graphs. */
export const namesIn = ({ inputs, initializers, nodes }: Graph): ValueName[] => [
  ...inputs.map(({ name }) => name),
  ...initializers.keys(),
  ...nodes.flatMap((node) => [node.name, ...node.outputs, ...subgraphs(node).flatMap(namesIn)]),
];

/** The node with other names for values that it reads. Its sub-graphs may read them too, but they
 * must not make values of these names. */
export function withReads(node: Node, rename: (name: ValueName) => ValueName): Node {
  const inside = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((one) => withReads(one, rename)),
    outputs: graph.outputs.map((info) => renamed(info, rename)),
  });
  return withSubgraphs({ ...node, inputs: node.inputs.map(rename) }, inside);
}

/** The graph with all names different. A constant that an outer graph also has under the same name
 * is stored only there.
 * @param fixed new names for values of the outermost graph; other values with these names get
 *   new ones */
export function distinctNames(graph: Graph, fixed: ReadonlyMap<ValueName, ValueName> = new Map()): Graph {
  const taken = new Set(fixed.values());
  const fresh = (name: ValueName): ValueName => {
    let free = name;
    for (let i = 1; taken.has(free); i++) free = `${name}/${i}`;
    taken.add(free);
    return free;
  };
  const inScope = (inner: Graph, outer: Scope, known: ReadonlyMap<ValueName, ValueName>): Graph => {
    const constants = [...inner.initializers].filter(([name, value]) => outer.constants.get(name) !== value);
    const own = [
      ...inner.inputs.map(({ name }) => name),
      ...constants.map(([name]) => name),
      ...inner.nodes.flatMap((node) => node.outputs),
    ];
    const names = new Map(outer.names);
    for (const name of own) if (name) names.set(name, known.get(name) ?? fresh(name));
    const scope = { names, constants: new Map([...outer.constants, ...constants]) };
    const rename = (name: ValueName): ValueName => names.get(name) ?? name;
    const nested = (attribute: Attribute): Attribute =>
      attribute.kind === "graph" ? { kind: "graph", value: inScope(attribute.value, scope, new Map()) } : attribute;
    return {
      ...inner,
      inputs: inner.inputs.map((info) => renamed(info, rename)),
      outputs: inner.outputs.map((info) => renamed(info, rename)),
      initializers: new Map(constants.map(([name, value]) => [rename(name), value])),
      types: new Map([...inner.types].map(([name, type]) => [rename(name), type])),
      nodes: inner.nodes.map((node) => renamedNode(node, rename, nested)),
    };
  };
  return inScope(graph, { names: new Map(), constants: new Map() }, fixed);
}

const renamed = (info: ValueInfo, rename: (name: ValueName) => ValueName): ValueInfo => ({
  ...info,
  name: rename(info.name),
});

const renamedNode = (
  node: Node,
  rename: (name: ValueName) => ValueName,
  nested: (attribute: Attribute) => Attribute,
): Node => ({
  ...node,
  inputs: node.inputs.map(rename),
  outputs: node.outputs.map(rename),
  attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, nested(value)])),
});
