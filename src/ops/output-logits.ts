/** @file Emits the logits that belong to an output that holds probabilities. */
import { DynnError } from "../core/errors.js";
import { fromNumbers } from "../core/tensor.js";
import { int } from "../graph/attributes.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { Graph, ValueName, ValueType } from "../graph/graph.js";
import type { OutputReading } from "./probabilities.js";

/** The smallest normal float32. The logarithm of a smaller probability is that of this one. */
const LEAST = 2 ** -126;

/** Appends what gives the logits [n, classes] of an output, and returns their name.
 * @param graph the graph that the reading is from; the builder started from it
 * @throws DynnError 'model/classifier' for an output with a probability for each label */
export function emitLogits(b: GraphBuilder, graph: Graph, output: ValueName, reading: OutputReading): ValueName {
  const type = graph.types.get(reading.value);
  switch (reading.kind) {
    case "logits":
      // Logits keep their type: a float64 graph is differentiated in float64.
      return flattened(b, reading.value, type);
    case "column":
      return b.op("Mul", [asRows(b, reading.value, type), row(b, [-0.5, 0.5])], {}, "logits");
    case "share":
      return logOf(b, bothShares(b, asRows(b, reading.value, type)));
    case "probabilities":
      return logOf(b, asRows(b, reading.value, type));
    case "labels":
      throw severalLabels(graph.name, output);
  }
}

/** The error for a multi-label output: dynn has no answer that is one class. */
export const severalLabels = (model: string, output: ValueName): DynnError =>
  new DynnError(
    "model/classifier",
    `${model}: output "${output}" is multi-label: each column holds the probability of its own label (a sigmoid). dynn takes classifiers whose answer is one class. If exactly one class is right for each image, export the values before the sigmoid.`,
    { output },
  );

/** log(max(p, 2^-126)). */
export const logOf = (b: GraphBuilder, p: ValueName): ValueName =>
  b.op("Log", [b.op("Max", [p, b.scalar(LEAST)])], {}, "logits");

const row = (b: GraphBuilder, values: readonly number[]): ValueName =>
  b.constant(fromNumbers("float32", [1, values.length], values));

const bothShares = (b: GraphBuilder, p: ValueName): ValueName =>
  b.op("Add", [b.op("Mul", [p, row(b, [-1, 1])]), row(b, [1, 0])]);

/** The value as float32 [n, classes]. */
function asRows(b: GraphBuilder, value: ValueName, type: ValueType | undefined): ValueName {
  const float = type === undefined || type.dtype === "float32" ? value : b.op("Cast", [value], { to: int(1) });
  return flattened(b, float, type);
}

const flattened = (b: GraphBuilder, value: ValueName, type: ValueType | undefined): ValueName =>
  type === undefined || type.shape.length === 2 ? value : b.op("Flatten", [value], { axis: int(1) });
