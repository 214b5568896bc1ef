/** @file Accuracy and loss of every exit on validation or test records. */

import { type GateScores, Logits } from "../../core/logits.js";
import { sizeOf } from "../../core/shape.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import type { Measured } from "../../dynamic/choose/readings.js";
import type { StatedGates } from "../../dynamic/model/gates.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { dynamicModel } from "../../dynamic/model/model.js";
import { argmax } from "../../dynamic/route/policy.js";
import { Forward } from "../../dynamic/run/forward.js";
import type { Graph } from "../../graph/graph.js";
import type { Backend } from "../../runtime/backend.js";
import { batchFor } from "../../runtime/batch.js";

/** Accuracy and loss of each exit on some records. */
export interface ExitEvaluation {
  /** Number of records. */
  readonly count: number;
  /** Number of right answers of each exit. */
  readonly correct: readonly number[];
  /** Mean cross-entropy of each exit. */
  readonly losses: readonly number[];
  /** Number of records for which each gate is open. Empty without gates. */
  readonly open: readonly number[];
}

/** Options of an evaluation. */
export interface EvaluateOptions {
  /** The most images in one run. It is lower where the memory needs it. */
  readonly batch: number;
  /** The gates of the graph. Left out: none. */
  readonly gates?: StatedGates | undefined;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of finished records and the number of all records. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The logits of all exits on some records. */
export interface Answered extends Measured {
  readonly labels: Int32Array;
}

/** The most bytes of images to read at once, and the most records. */
const CHUNK = { bytes: 2 ** 28, records: 1024 } as const;

const chunkOf = ({ shape }: Dataset): number => {
  const bytes = sizeOf(shape) * Float32Array.BYTES_PER_ELEMENT;
  return Math.min(CHUNK.records, Math.max(1, Math.floor(CHUNK.bytes / bytes)));
};

/** Gives the logits of every exit, some records at a time, in file order.
 * @param graph a trained network with its parameters as initializers
 * @throws DynnError as dynamicModel and Forward do */
export async function* answersOf(
  graph: Graph,
  exits: readonly { readonly name: string; readonly logits: string }[],
  dataset: Dataset,
  backend: Backend,
  { batch: given, gates, signal, onProgress }: EvaluateOptions,
): AsyncGenerator<Answered> {
  const metadata = writeMetadata({ exits: exits.map(({ name, logits }) => ({ name, logits })), gates });
  const model = dynamicModel({ graph, metadata });
  const batch = Math.min(given, batchFor({ name: model.name, graph: model.graph, backend }).batch);
  const chunk = chunkOf(dataset);
  const forward = await Forward.compile(model, { backend });
  try {
    for (let from = 0; from < dataset.count; from += chunk) {
      const rows = Uint32Array.from({ length: Math.min(chunk, dataset.count - from) }, (_, i) => from + i);
      const logits = await forward.logits(await readImages(dataset, rows), {
        batch,
        signal,
        onProgress: (done) => onProgress?.(from + done, dataset.count),
      });
      yield { labels: dataset.labels.subarray(from, from + rows.length), logits };
    }
  } finally {
    await forward.release();
  }
}

/** The logits of every exit on all records, in file order.
 * @throws DynnError as dynamicModel and Forward do */
export async function evaluatedLogits(...request: Parameters<typeof answersOf>): Promise<Answered> {
  const [, exits, dataset] = request;
  const parts: Logits[] = [];
  for await (const { logits } of answersOf(...request)) parts.push(logits);
  const classes = parts[0]?.classes ?? 0;
  const whole = exits.map((_, exit) => {
    const joined = new Float32Array(dataset.count * classes);
    let at = 0;
    for (const { exits: own } of parts) {
      joined.set(own[exit], at);
      at += own[exit].length;
    }
    return joined;
  });
  return { labels: dataset.labels, logits: new Logits(whole, classes, joinedScores(parts)) };
}

/** The scores of every gate on all records. */
const joinedScores = ([first, ...rest]: readonly Logits[]): GateScores[] =>
  (first?.gates ?? []).map((gate, k) => ({
    ...gate,
    scores: Float32Array.from([first, ...rest].flatMap(({ gates }) => [...(gates[k]?.scores ?? [])])),
  }));

/** Options of {@link evaluateExits}. */
export interface EvaluateExitsOptions extends EvaluateOptions {
  /** Runs the network. */
  readonly backend: Backend;
  /** The exits, and the outputs that hold their logits. */
  readonly exits: readonly { readonly name: string; readonly logits: string }[];
}

/** Measures accuracy and loss of each exit on labelled records.
 * @param graph a trained network with its parameters as initializers
 * @throws DynnError as dynamicModel and Forward do */
export async function evaluateExits(
  graph: Graph,
  dataset: Dataset,
  { exits, backend, ...options }: EvaluateExitsOptions,
): Promise<ExitEvaluation> {
  const correct = new Array<number>(exits.length).fill(0);
  const losses = new Array<number>(exits.length).fill(0);
  const open = (options.gates ?? []).map(() => 0);
  for await (const { labels, logits } of answersOf(graph, exits, dataset, backend, options)) {
    logits.gates.forEach(({ scores, threshold }, k) => {
      open[k] += scores.filter((score) => score >= threshold).length;
    });
    exits.forEach((_, k) => {
      labels.forEach((label, row) => {
        const scores = logits.row(k, row);
        correct[k] += Number(argmax(scores) === label);
        losses[k] += crossEntropyOf(scores, label) / dataset.count;
      });
    });
  }
  return { count: dataset.count, correct, losses, open };
}

/** -log softmax(logits)[label] in float64. */
export function crossEntropyOf(logits: Float32Array, label: number): number {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, z) => total + Math.exp(z - top), 0);
  return Math.log(sum) + top - logits[label];
}
