/** @file Accuracy and loss of every exit on records that are not trained on. */

import { sizeOf } from "../core/shape.js";
import type { Dataset } from "../data/dataset.js";
import { Forward } from "../dynamic/forward.js";
import { writeMetadata } from "../dynamic/metadata.js";
import { dynamicModel } from "../dynamic/model.js";
import { argmax } from "../dynamic/policy.js";
import type { Graph } from "../graph/graph.js";
import type { Backend } from "../runtime/backend.js";

export interface Evaluation {
  readonly count: number;
  /** Right answers of each exit. */
  readonly correct: readonly number[];
  /** Mean cross-entropy of each exit. */
  readonly losses: readonly number[];
}

export interface EvaluateOptions {
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
}

/** Records read at once: bounds the memory of large images. */
const CHUNK = 1024;

/** @param graph a trained network with its parameters as initializers
 * @throws DynnError as dynamicModel and Forward do */
export async function evaluateExits(
  graph: Graph,
  exits: readonly { readonly name: string; readonly logits: string }[],
  dataset: Dataset,
  backend: Backend,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const metadata = writeMetadata({ exits: exits.map(({ name, logits }) => ({ name, logits })) });
  const forward = await Forward.compile(dynamicModel({ graph, metadata }), backend);
  try {
    return await sumOver(forward, exits.length, dataset, options);
  } finally {
    await forward.release();
  }
}

async function sumOver(
  forward: Forward,
  exits: number,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const correct = new Array<number>(exits).fill(0);
  const losses = new Array<number>(exits).fill(0);
  for (let from = 0; from < dataset.count; from += CHUNK) {
    const rows = Uint32Array.from({ length: Math.min(CHUNK, dataset.count - from) }, (_, i) => from + i);
    const pixels = new Float32Array(rows.length * sizeOf(dataset.shape));
    await dataset.read(rows, pixels);
    const logits = await forward.logits(pixels, options);
    logits.forEach((values, k) => {
      const classes = values.length / rows.length;
      rows.forEach((index, row) => {
        const scores = values.subarray(row * classes, (row + 1) * classes);
        correct[k] += Number(argmax(scores) === dataset.labels[index]);
        losses[k] += crossEntropyOf(scores, dataset.labels[index]) / dataset.count;
      });
    });
  }
  return { count: dataset.count, correct, losses };
}

/** -log softmax(logits)[label] in float64. */
function crossEntropyOf(logits: Float32Array, label: number): number {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, z) => total + Math.exp(z - top), 0);
  return Math.log(sum) + top - logits[label];
}
