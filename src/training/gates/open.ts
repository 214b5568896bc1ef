/** @file The network with all gates open: the network that gates were attached to, as long as the
 *  weights are those of the start. */
import { fromNumbers } from "../../core/tensor.js";
import type { Graph } from "../../graph/graph.js";
import type { TrainedGate } from "./attach.js";

/** The graph with the value 1 for each gate and each sample. */
export function openGates(graph: Graph, gates: readonly Pick<TrainedGate, "value">[]): Graph {
  const values = new Set(gates.map(({ value }) => value));
  const one = fromNumbers("float32", [1, 1, 1, 1], [1]);
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => !values.has(node.outputs[0])),
    initializers: new Map([...graph.initializers, ...[...values].map((value) => [value, one] as const)]),
    types: new Map(),
  };
}
