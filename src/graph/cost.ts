/** @file Cost: multiply-accumulates (MACs) of one sample, as each operator counts them. */
import { DynnError } from "../core/errors.js";
import { showNode } from "./attributes.js";
import { ancestors, type Graph, type Node, producers, reads, type ValueName } from "./graph.js";
import { inferShapes } from "./infer.js";
import { macsOfNode } from "./node-macs.js";
import type { OpTable } from "./op.js";

/** MACs of every node for one sample. A batch size that the file fixes is counted whole.
 * @throws DynnError 'shape/unknown' when a counted node has a size that is not known */
export function nodeMacs(graph: Graph, ops: OpTable): Map<Node, number> {
  const single = inferShapes(graph, ops, batchOfOne(graph));
  return new Map(single.nodes.map((node) => [node, countedMacs(single, node, ops)]));
}

/** MACs of one sample from the inputs up to and including `wanted`. Every needed node counts
 * once. */
export const macsOf = (graph: Graph, wanted: Iterable<ValueName>, costs: ReadonlyMap<Node, number>): number =>
  ancestors(graph, wanted).reduce((sum, node) => sum + (costs.get(node) ?? 0), 0);

/** MACs up to and including each value and the values before it. A node is visited once, so a long
 * list takes time in proportion to the graph. */
export function cumulativeMacs(graph: Graph, values: readonly ValueName[], costs: ReadonlyMap<Node, number>): number[] {
  const [makers, seen] = [producers(graph), new Set<Node>()];
  let sum = 0;
  return values.map((value) => {
    const waiting: ValueName[] = [value];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const node = makers.get(name);
      if (!node || seen.has(node)) continue;
      seen.add(node);
      sum += costs.get(node) ?? 0;
      waiting.push(...reads(node));
    }
    return sum;
  });
}

/** The named batch dimension of each input, fixed to 1. */
const batchOfOne = (graph: Graph): Record<string, number> =>
  Object.fromEntries(graph.inputs.flatMap(({ shape }) => (typeof shape?.[0] === "string" ? [[shape[0], 1]] : [])));

/** Number of elements in the initializers. 64-bit integers do not count: they are shapes and
 * indices. */
export const parameterCount = ({ initializers }: Pick<Graph, "initializers">): number =>
  [...initializers.values()].reduce((sum, t) => sum + (t.dtype === "int64" ? 0 : t.data.length), 0);

function countedMacs(graph: Graph, node: Node, ops: OpTable): number {
  return macsOfNode(node, ops, graph.types, (value) => {
    const shape = graph.types.get(value)?.shape;
    throw new DynnError(
      "shape/unknown",
      `${showNode(node)}: the cost depends on "${value}", whose shape [${shape}] is not known. Give the image size, or export the model with a fixed one.`,
      { node: node.name, value, options: ["imageSize"] },
    );
  });
}
