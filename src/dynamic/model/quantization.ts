/** @file What the quantized operators of a file mean for its answers and its gradients. */
import { descendants, type Graph, type Node } from "../../graph/graph.js";
import type { OpDef } from "../../graph/op.js";
import { opTable } from "../../ops/table.js";

/** Sentences on the operators that make integers of the image's values. Undefined where the graph
 * has none. */
export function quantizationOf(graph: Graph): string | undefined {
  const reached = descendants(
    graph,
    graph.inputs.map((input) => input.name),
  );
  const nodes = graph.nodes.filter((node) => node.inputs.some((name) => reached.has(name)));
  const where = (holds: (def: OpDef) => boolean | undefined) => nodes.filter((node) => holds(opTable.get(node)));
  const blocking = where(({ vjp }) => typeof vjp !== "function" && vjp.blocks);
  const sentences = [
    blocking.length > 0 ? integerSentence(blocking) : stepSentence(where((def) => def.straightThrough)),
    scaleSentence(where((def) => def.scalesBatch)),
  ].filter((sentence) => sentence !== "");
  return sentences.length > 0 ? sentences.join(" ") : undefined;
}

const integerSentence = (nodes: readonly Node[]): string =>
  `The file computes with 8-bit integers (${counted(nodes)}). They have no gradient, so attacks that need one are refused.`;

const stepSentence = (nodes: readonly Node[]): string =>
  nodes.length === 0
    ? ""
    : `The file is quantized (${counted(nodes)}). dynn computes its rounding as the file states it, with float32 between, so times are not those of 8-bit kernels. Gradients pass straight through the rounding (straight-through estimator), and are zero where a value is clipped.`;

const scaleSentence = ([node]: readonly Node[]): string =>
  node ? `${node.opType} takes one scale from a whole batch, so dynn runs images one at a time.` : "";

/** The operators with their counts, e.g. "5 QLinearConv, 1 QGemm". */
function counted(nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts].map(([opType, count]) => `${count} ${opType}`).join(", ");
}
