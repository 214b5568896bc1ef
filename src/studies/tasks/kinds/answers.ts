/** @file The task `answers`: what every exit of a network answers for clean or attacked images. */
import { z } from "zod";
import { toEightBits } from "../../../attacks/sample.js";
import { Images } from "../../../core/images.js";
import { type GateScores, Logits } from "../../../core/logits.js";
import { type Tensor, tensor } from "../../../core/tensor.js";
import { bitOf, type Reader, readingOf } from "../../../dynamic/route/route.js";
import { trueMargin } from "../../../measures/difficulty.js";
import { count } from "../../../schema/numbers.js";
import { RULES } from "../../../schema/policy.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import type { AnswerRow, GateRow } from "../../../schema/study/tables.js";
import { batchOf } from "../../batch.js";
import { taskKind } from "../kind.js";
import { type Shown, shownTo } from "./opened.js";
import { policyOf } from "./policy.js";

/** Names of the files of the result. */
export const ANSWERS_FILE = "answers.parquet";
export const LOGITS_FILE = "logits.npy";
/** Per gate its threshold, the first exit behind it, and its score for each image, float64
 * [gates,2+n]. Networks without gates have no such file. */
export const GATES_FILE = "gates.npy";
/** The bits of every gate as a table. */
export const GATE_ROWS_FILE = "gates.parquet";
/** The logits of the final exit with every gate open, float32 [n,classes]. */
export const FULL_FILE = "full.npy";
/** The logits of the images that ran a second time. */
export const AGAIN_FILE = "again.npy";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  /** Rule of the confidence. */
  rule: z.enum(RULES),
  temperatures: z.array(z.number().positive()).optional(),
  /** Whether the logits are kept, float32 [exits,n,classes]. */
  logits: z.boolean(),
  /** Whether images are rounded to 8 bits first. */
  rounded: z.boolean().optional(),
  /** Whether the images also run with every gate open, for the logits of the final exit. */
  full: z.boolean().optional(),
  /** Whether the bits of gates are kept as a table. */
  bits: z.boolean().optional(),
  /** Number of images, from the first on, that run a second time. */
  again: count.optional(),
  /** Of one image, for estimates. */
  macs: count,
});
export type AnswersParameters = z.infer<typeof parameters>;

export const answersKind = taskKind<AnswersParameters>({
  name: "answers",
  version: 1,
  parameters,
  // The network runs under the gates of "policy". Without one, each gate has its own threshold.
  inputs: ["networks", "images", "policy"],
  cores: "one",
  macs: ({ data, macs }) => recordsOf(data).length * macs,
  run: async (_key, given, inputs, { bench, backend, signal, onProgress, memory }) => {
    const opened = await bench.open(given);
    const model = bench.under(opened.model, await policyOf(inputs));
    const shown = roundedIf(given.rounded, await shownTo(opened, inputs));
    const { batch } = memory ?? batchOf({ model, backend, images: shown.images.count });
    const forward = await bench.forward(model);
    const logits = await forward.logits(shown.images, { batch, signal, onProgress });
    const rows = answerRows(logits, shown, given);
    const full = given.full ? await bench.full(model, shown.images, { batch, signal }) : undefined;
    const kept = {
      ...(given.logits ? logitFiles(logits) : {}),
      ...(given.bits ? { [GATE_ROWS_FILE]: { rows: gateRows(logits, shown) } } : {}),
      ...(full ? { [FULL_FILE]: full } : {}),
    };
    if (given.again === undefined) return { files: { [ANSWERS_FILE]: { rows }, ...kept } };
    const again = await forward.logits(shown.images.rows(0, given.again), { batch });
    return { files: { [ANSWERS_FILE]: { rows }, ...kept, [AGAIN_FILE]: tensorOf(again) } };
  },
});

const roundedIf = (rounded: boolean | undefined, { images, ...rest }: Shown): Shown => ({
  ...rest,
  images: rounded ? new Images(toEightBits(images.data), images.dims) : images,
});

/** One row per image and exit, samples first. */
export function answerRows(
  logits: Logits,
  { records, labels }: Pick<Shown, "records" | "labels">,
  reader: Reader,
): AnswerRow[] {
  return records.flatMap((sample, i) =>
    logits.rows(i).map((row, exit) => {
      const { label: answer, confidence } = readingOf(row, reader, exit);
      return { sample, exit, label: labels[i], answer, confidence, margin: trueMargin(row, labels[i]) };
    }),
  );
}

/** One row per image and gate, samples first. */
const gateRows = ({ gates }: Logits, { records }: Pick<Shown, "records">): GateRow[] =>
  records.flatMap((sample, i) =>
    gates.map(({ exit, threshold, scores }, gate) => ({
      ...{ sample, gate, exit, score: scores[i], threshold, open: bitOf(scores[i], threshold) === 1 },
    })),
  );

function tensorOf({ exits, count: n, classes }: Logits): Tensor {
  const data = new Float32Array(exits.length * n * classes);
  for (const [k, exit] of exits.entries()) data.set(exit, k * n * classes);
  return tensor("float32", [exits.length, n, classes], data);
}

const logitFiles = (logits: Logits): { readonly [file: string]: Tensor } => ({
  [LOGITS_FILE]: tensorOf(logits),
  ...(logits.gates.length > 0 ? { [GATES_FILE]: gatesTensor(logits) } : {}),
});

function gatesTensor({ gates, count: n }: Logits): Tensor {
  const data = new Float64Array(gates.length * (2 + n));
  for (const [k, { threshold, exit, scores }] of gates.entries()) {
    data.set([threshold, exit], k * (2 + n));
    data.set(scores, k * (2 + n) + 2);
  }
  return tensor("float64", [gates.length, 2 + n], data);
}

/** The parts of a finished task that its logits are made of. */
export interface LogitParts {
  /** The array of {@link GATES_FILE}. Undefined for a network without gates. */
  readonly gates?: Tensor | undefined;
  /** The array of {@link FULL_FILE}. Undefined when it was not asked for. */
  readonly full?: Tensor | undefined;
  /** Places of the exits that are kept. Undefined: all. */
  readonly exits?: readonly number[] | undefined;
}

/** The logits of a finished task, for some exits. */
export function logitsOf({ data, dims: [all, n, classes] }: Tensor, { gates, full, exits }: LogitParts = {}): Logits {
  const kept = exits ?? Array.from({ length: all }, (_, k) => k);
  return new Logits(
    kept.map((k) => (data as Float32Array).subarray(k * n * classes, (k + 1) * n * classes)),
    classes,
    gates && scoresOf(gates, kept),
    full?.data as Float32Array | undefined,
  );
}

/** The logits with those of the full network. */
export const withFull = ({ exits, classes, gates }: Logits, full: Tensor | undefined): Logits =>
  new Logits(exits, classes, gates, full?.data as Float32Array | undefined);

function scoresOf({ data, dims: [all, size] }: Tensor, kept: readonly number[]): GateScores[] {
  return Array.from({ length: all }, (_, k) => {
    const [threshold, exit, ...scores] = (data as Float64Array).subarray(k * size, (k + 1) * size);
    return { threshold, exit: kept.findIndex((one) => one >= exit), scores: Float32Array.from(scores) };
  });
}

/** The true classes of a finished task, one per image. */
export const labelsIn = (rows: readonly AnswerRow[]): number[] =>
  rows.flatMap(({ exit, label }) => (exit === 0 ? [label] : []));
