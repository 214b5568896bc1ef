/** @file Memory that a graph needs while it runs, from the shapes of its values. An engine frees a
 *  value after its last reader. The most memory is in use where the living values are largest. */
import type { Dim } from "../core/shape.js";
import { type Graph, type Node, reads, subgraphs, type ValueName, type ValueType, withSubgraphs } from "./graph.js";
import { inferShapes } from "./infer.js";
import { bytesOf } from "./limits.js";
import type { OpTable } from "./op.js";

/** The bytes that a run on a number of samples needs: constants, inputs, outputs, and the values
 * between them that are alive together. */
export type BytesAt = (samples: number) => number;

/** The memory that a run of a graph needs. The batch is the named first length of the inputs. A
 * graph with sub-graphs must state its types, because inference does not enter sub-graphs. Packed
 * rows count as whole batches.
 * @returns undefined when an input has another open size
 * @throws DynnError as inferShapes does
 * @example
 * const bytes = memoryOf(model.graph, opTable);
 * console.log(bytes?.(16)); // of 16 images */
export function memoryOf(graph: Graph, ops: OpTable): BytesAt | undefined {
  const known = KNOWN.get(graph) ?? { bytes: measured(graph, ops) };
  KNOWN.set(graph, known);
  return known.bytes;
}

/** Tasks ask again and again for the same graph, and inference takes longer than a small task. */
const KNOWN = new WeakMap<Graph, { readonly bytes: BytesAt | undefined }>();

function measured(graph: Graph, ops: OpTable): BytesAt | undefined {
  const batch = batchName(graph);
  const open = graph.inputs.some(({ shape }) => !shape || shape.some((d) => typeof d === "string" && d !== batch));
  if (open) return undefined;
  const at = (samples: number): number[] => aliveBytes(typedFor(graph, ops, batch, samples));
  const one = at(1);
  const two = batch === undefined ? one : at(2);
  const weights = weightBytes(graph);
  // The bytes at each node are a line over the samples, and two points fix it.
  return (samples) => weights + one.reduce((most, a, i) => Math.max(most, a + (samples - 1) * (two[i] - a)), 0);
}

const batchName = ({ inputs }: Graph): string | undefined =>
  inputs.map(({ shape }) => shape?.[0]).find((d) => typeof d === "string");

/** The graph with the types that it has for a number of samples. */
function typedFor(graph: Graph, ops: OpTable, batch: string | undefined, samples: number): Graph {
  const routes = graph.nodes.some((node) => subgraphs(node).length > 0);
  return routes ? counted(graph, samples) : inferShapes(graph, ops, batch === undefined ? {} : { [batch]: samples });
}

/** The stated types, with every number of rows replaced by the number of samples. */
const counted = (graph: Graph, samples: number): Graph => {
  const inputs = graph.inputs.map(({ name, dtype, shape = [] }) => [name, { dtype, shape }] as const);
  const types = [...inputs, ...graph.types].map(([name, { dtype, shape }]): [ValueName, ValueType] => [
    name,
    { dtype, shape: shape.map((dim) => lengthOf(dim, samples)) },
  ]);
  const nodes = graph.nodes.map((node) => withSubgraphs(node, (inner) => counted(inner, samples)));
  return { ...graph, nodes, types: new Map(types) };
};

const lengthOf = (dim: Dim, samples: number): number =>
  typeof dim === "number"
    ? dim
    : dim.split("*").reduce((product, factor) => product * (/^\d+$/.test(factor) ? Number(factor) : samples), 1);

const weightBytes = ({ initializers, nodes }: Graph): number =>
  [...initializers.values()].reduce((sum, t) => sum + t.data.byteLength, 0) +
  nodes.flatMap(subgraphs).reduce((sum, inner) => sum + weightBytes(inner), 0);

/** The bytes that are alive at each node: its inputs, its outputs, and all values that later nodes
 * read. The caller holds inputs and outputs of the graph to the end. */
function aliveBytes(graph: Graph): number[] {
  const bytes = (name: ValueName): number => {
    const type = graph.types.get(name);
    return type && !graph.initializers.has(name) ? bytesOf(type) : 0;
  };
  const total = (names: readonly ValueName[]): number => names.reduce((sum, name) => sum + bytes(name), 0);
  const ends = endsOf(graph);
  let alive = total(graph.inputs.map(({ name }) => name));
  return graph.nodes.map((node) => {
    const inside = subgraphs(node).map((inner) => Math.max(0, ...aliveBytes(inner)));
    alive += total(node.outputs);
    const most = alive + Math.max(0, ...inside);
    alive -= total(ends.get(node) ?? []);
    return most;
  });
}

/** For each node, the values that nothing reads after it. */
function endsOf(graph: Graph): Map<Node, ValueName[]> {
  const last = new Map<ValueName, Node>();
  for (const node of graph.nodes) for (const name of [...node.outputs, ...reads(node)]) last.set(name, node);
  for (const { name } of [...graph.inputs, ...graph.outputs]) last.delete(name);
  const ends = new Map<Node, ValueName[]>();
  for (const [name, node] of last) ends.set(node, [...(ends.get(node) ?? []), name]);
  return ends;
}
