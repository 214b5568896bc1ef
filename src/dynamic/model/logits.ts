/** @file The logits of the exits of a file. Logits replace outputs that hold probabilities. */
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { emitLogits } from "../../ops/output-logits.js";
import { readOutput } from "../../ops/probabilities.js";

/** Nodes and constants that dynn adds behind those of a graph. */
export type AddedNodes = Pick<Graph, "nodes" | "initializers">;

/** The graph with the logits of outputs, the outputs that they belong to, and the added nodes. */
export interface AsLogits {
  readonly graph: Graph;
  /** For each output of the graph, the output of the file. */
  readonly named: readonly ValueName[];
  readonly added?: AddedNodes;
}

/** The graph with exactly these outputs. Logits replace an output that holds probabilities.
 * @param file the graph as the file has it, whose names stay free
 * @param name what the model is called in errors
 * @throws DynnError 'model/classifier' for an output with a probability for each label */
export function asLogits(open: Graph, outputs: readonly ValueName[], file: Graph, name: string): AsLogits {
  const b = new GraphBuilder(open);
  for (const node of file.nodes) for (const name of node.outputs) b.reserve(name);
  const belongsTo = new Map<ValueName, ValueName>();
  for (const output of outputs) {
    const value = emitLogits(b, { ...open, name }, output, readOutput(open, output));
    // An output that holds the logits gives the exit its name, whatever other output comes from it.
    if (!belongsTo.has(value) || value === output) belongsTo.set(value, output);
  }
  const [names, named] = [[...belongsTo.keys()], [...belongsTo.values()]];
  const info = names.map((name) => ({ name, dtype: "float32" as const, shape: undefined }));
  if (b.nodeCount === open.nodes.length) return { graph: { ...open, outputs: info }, named };
  const built = b.build();
  const nodes = built.nodes.slice(open.nodes.length);
  const initializers = new Map([...built.initializers].filter(([name]) => !open.initializers.has(name)));
  return { graph: { ...built, outputs: info }, named, added: { nodes, initializers } };
}

/** The graph with those nodes and constants behind its own. */
export const withNodes = (graph: Graph, added: AddedNodes | undefined): Graph =>
  added
    ? {
        ...graph,
        nodes: [...graph.nodes, ...added.nodes],
        initializers: new Map([...graph.initializers, ...added.initializers]),
      }
    : graph;
