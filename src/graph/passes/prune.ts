/** @file Dead-code elimination: removes nodes and constants that no output needs. */
import { ancestors, type Graph, reads } from "../graph.js";

/** The graph with only the nodes and constants that the outputs need. All inputs stay, because
 * they are the graph's signature. */
export function prune(graph: Graph): Graph {
  const nodes = ancestors(
    graph,
    graph.outputs.map((o) => o.name),
  );
  const used = new Set([...nodes.flatMap(reads), ...graph.outputs.map((o) => o.name)]);
  const initializers = new Map([...graph.initializers].filter(([name]) => used.has(name)));
  // An unchanged graph keeps its lists: later passes then know that nothing has changed.
  const whole = nodes.length === graph.nodes.length && initializers.size === graph.initializers.size;
  return whole ? graph : { ...graph, nodes, initializers };
}
