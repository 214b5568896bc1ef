/** @file The rows that a block reads of the graph around it, and the shapes of packed rows. */
import type { Dim, Shape } from "../../../core/shape.js";
import { ancestors, batchOf, type Graph, type Node, type ValueName } from "../../../graph/graph.js";

/** A shape with another number of rows. */
export const rowShape = (shape: Shape, batch: Dim | undefined, count: string): Shape =>
  shape.map((dim) => (typeof dim === "number" ? dim : renamed(dim, batch, count)));

const renamed = (dim: string, batch: Dim | undefined, count: string): string =>
  dim
    .split("*")
    .map((factor) => (factor === batch ? count : factor))
    .join("*");

/** The nodes that compute a block from values with a row per sample, and those values. Values
 * without a row per sample (mostly shapes) are computed again, because they may hold the number of
 * rows. */
export function rowReads(
  graph: Graph,
  block: readonly Node[],
): { readonly nodes: readonly Node[]; readonly reads: readonly ValueName[] } {
  const batch = batchOf(graph);
  const own = new Set(block.flatMap((node) => node.outputs));
  const hasRows = (name: ValueName): boolean => graph.types.get(name)?.shape[0] === batch;
  const cut = (node: Node): boolean => node.outputs.some((name) => own.has(name) || hasRows(name));
  const outside = { ...graph, nodes: graph.nodes.filter((node) => !cut(node)) };
  const wanted = block.flatMap((node) => node.inputs).filter((name) => name !== "" && !own.has(name));
  const again = ancestors(outside, wanted);
  const read = [...wanted, ...again.flatMap((node) => node.inputs)];
  return { nodes: [...again, ...block], reads: [...new Set(read)].filter((name) => !own.has(name) && hasRows(name)) };
}
