/** @file The scores of gates as outputs of a model's graph. */
import type { Graph } from "../../graph/graph.js";
import { forcedBit } from "../../schema/policy.js";
import type { DynamicModel } from "./model.js";
import type { Gate } from "./units.js";

/** The gates that ask their scores, with their numbers. The graph does not compute the score of a
 * forced gate. The score 0 stands for it, which reaches the threshold of an open gate alone. */
export const scoredGates = ({ gates }: Pick<DynamicModel, "gates">): [number, Gate][] =>
  [...gates.entries()].filter(([, { threshold }]) => forcedBit(threshold) === undefined);

/** The graph with the logits of every exit and the scores of the gates as outputs. Without gates,
 * the model's own graph. */
export function readingGraph(model: Pick<DynamicModel, "graph" | "gates">): Graph {
  const { graph } = model;
  const scores = scoredGates(model).map(([, { score }]) => ({
    name: score,
    dtype: "float32" as const,
    shape: graph.types.get(score)?.shape,
  }));
  return scores.length === 0 ? graph : { ...graph, outputs: [...graph.outputs, ...scores] };
}
