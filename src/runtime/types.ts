/** @file Shape inference for backends: the types of all values of a graph, when inference
 *  succeeds. */
import { DynnError } from "../core/errors.js";
import { type Graph, subgraphs } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { opTable } from "../ops/table.js";

/** The graph with types. Undefined when inference fails: ONNX Runtime may still run the graph,
 * or gives a better error. A graph with sub-graphs must already have its types, because
 * inference does not enter sub-graphs. */
export function withTypes(graph: Graph): Graph | undefined {
  if (graph.nodes.some((node) => subgraphs(node).length > 0)) return graph;
  try {
    return inferShapes(graph, opTable);
  } catch (error) {
    if (error instanceof DynnError) return undefined;
    throw error;
  }
}
