/** @file Cross-entropy as graph nodes, for every differentiated loss: attacks increase it,
 *  training decreases it. Labels first become target distributions, so that smoothed labels and
 *  hard labels have the same formula. */
import { fromNumbers } from "../core/tensor.js";
import { int } from "../graph/attributes.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import { reduceSum } from "../ops/support/emit.js";

/** Labels as distributions over the classes, on a new last axis. Each class gets smoothing /
 * classes, and the label gets 1 - smoothing in addition (Szegedy et al. 2016, section 7).
 * @param labels int64 [...], each in [0, classes)
 * @param smoothing in [0,1]; 0 gives one-hot rows
 * @returns float32 [..., classes] */
export function targetsOf(b: GraphBuilder, labels: ValueName, classes: number, smoothing = 0): ValueName {
  const off = smoothing / classes;
  const values = b.constant(fromNumbers("float32", [2], [off, 1 - smoothing + off]));
  return b.op("OneHot", [labels, b.ints([classes]), values], { axis: int(-1) }, "target");
}

/** Cross-entropy of target and softmax: -sum over classes of target * log softmax(logits).
 * @param logits float [..., classes, ...]
 * @param target float, of the shape of the logits, or broadcast to it
 * @param axis the axis of the classes; it must be the last one when the graph's opset is below 13
 * @returns float, without that axis */
export function crossEntropy(b: GraphBuilder, logits: ValueName, target: ValueName, axis: number): ValueName {
  const logProbabilities = b.op("LogSoftmax", [logits], { axis: int(axis) });
  return b.op("Neg", [reduceSum(b, b.op("Mul", [logProbabilities, target]), [axis], false)]);
}
