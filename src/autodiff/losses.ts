/** @file Cross-entropy as graph nodes, for every loss that is differentiated: attacks ascend it, training descends it.
 *  Labels become target distributions first, so that smoothed labels and hard ones are one formula. */
import { fromNumbers } from "../core/tensor.js";
import { int } from "../graph/attributes.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { ValueName } from "../graph/graph.js";
import { reduceSum } from "../ops/support/emit.js";

/** Labels as distributions over the classes, a new last axis: 1 - smoothing at the label, plus smoothing / classes everywhere
 *  (Szegedy et al. 2016, section 7).
 * @param labels    int64 [...], each in [0, classes)
 * @param smoothing in [0,1]; 0 gives one-hot rows
 * @returns float32 [..., classes] */
export function targetsOf(b: GraphBuilder, labels: ValueName, classes: number, smoothing = 0): ValueName {
  const off = smoothing / classes;
  const values = b.constant(fromNumbers("float32", [2], [off, 1 - smoothing + off]));
  return b.op("OneHot", [labels, b.ints([classes]), values], { axis: int(-1) }, "target");
}

/** -sum over classes of target * log softmax(logits): the cross-entropy of target and softmax.
 * @param logits float [..., classes, ...]
 * @param target float, the logits' shape or broadcast to it
 * @param axis   the axis of the classes, the last one where the graph's opset is below 13
 * @returns float, without that axis */
export function crossEntropy(b: GraphBuilder, logits: ValueName, target: ValueName, axis: number): ValueName {
  const logProbabilities = b.op("LogSoftmax", [logits], { axis: int(axis) });
  return b.op("Neg", [reduceSum(b, b.op("Mul", [logProbabilities, target]), [axis], false)]);
}
