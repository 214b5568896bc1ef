/** @file Types of all values, as far as shape inference understands a graph. */
import { DynnError } from "../core/errors.js";
import { type Graph, subgraphs } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { opTable } from "../ops/table.js";

/** The graph with types; undefined when it cannot be understood, which ONNX Runtime may, or says better. A graph with sub-graphs brings its
 *  types: shapes are not inferred through them. */
export function withTypes(graph: Graph): Graph | undefined {
  if (graph.nodes.some((node) => subgraphs(node).length > 0)) return graph;
  try {
    return inferShapes(graph, opTable);
  } catch (error) {
    if (error instanceof DynnError) return undefined;
    throw error;
  }
}
