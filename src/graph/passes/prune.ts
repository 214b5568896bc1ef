/** @file Dead code: drops what no output needs. */
import { ancestors, type Graph, reads } from "../graph.js";

/** Only the nodes and constants that the outputs need. Inputs all stay: they are the signature. */
export function prune(graph: Graph): Graph {
  const nodes = ancestors(
    graph,
    graph.outputs.map((o) => o.name),
  );
  const used = new Set([...nodes.flatMap(reads), ...graph.outputs.map((o) => o.name)]);
  const initializers = new Map([...graph.initializers].filter(([name]) => used.has(name)));
  // The same lists say to later passes that nothing has changed.
  const whole = nodes.length === graph.nodes.length && initializers.size === graph.initializers.size;
  return whole ? graph : { ...graph, nodes, initializers };
}
