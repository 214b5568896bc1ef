/** @file The task `answers`: what every exit of a network answers for clean or attacked images. */
import { z } from "zod";
import type { Logits } from "../../../core/logits.js";
import { writeNpy } from "../../../data/npy.js";
import { checkedParquet } from "../../../data/parquet.js";
import { type Reader, readingOf } from "../../../dynamic/route/route.js";
import { Forward } from "../../../dynamic/run/forward.js";
import { count } from "../../../schema/numbers.js";
import { RULES } from "../../../schema/policy.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import { ANSWER_COLUMNS, type AnswerRow } from "../../../schema/study/tables.js";
import { batchOf } from "../../batch.js";
import { taskKind } from "../kind.js";
import { imagesOf, openNetwork } from "./opened.js";

/** Names of the files of the result. */
export const ANSWERS_FILE = "answers.parquet";
export const LOGITS_FILE = "logits.npy";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  rule: z.enum(RULES).describe("rule of the confidence"),
  temperatures: z.array(z.number().positive()).optional(),
  logits: z.boolean().describe("whether the logits are kept, float32 [exits,n,classes]"),
  macs: count.describe("of one image, for estimates"),
});
export type AnswersParameters = z.infer<typeof parameters>;

export const answersKind = taskKind<AnswersParameters>({
  name: "answers",
  version: 1,
  about: "runs every exit of a network on clean or attacked images",
  parameters,
  inputs: ["networks", "images"],
  cores: "one",
  macs: ({ data, macs }) => recordsOf(data).length * macs,
  run: async (_key, given, inputs, context) => {
    const opened = await openNetwork(given, context);
    const { model, data, records } = opened;
    const images = await imagesOf(opened, inputs);
    const { backend, signal, onProgress } = context;
    const { batch } = batchOf({ model, backend, batch: context.batch, images: images.count });
    const forward = await Forward.compile(model, backend);
    try {
      const logits = await forward.logits(images, { batch, signal, onProgress });
      const rows = answerRows(logits, { records, labels: data.labels }, given);
      const kept = given.logits ? { [LOGITS_FILE]: logitsFile(logits) } : {};
      return { files: { [ANSWERS_FILE]: await checkedParquet(rows, ANSWER_COLUMNS), ...kept } };
    } finally {
      await forward.release();
    }
  },
});

/** One row per image and exit, samples first. */
export function answerRows(
  logits: Logits,
  { records, labels }: { readonly records: readonly number[]; readonly labels: ArrayLike<number> },
  reader: Reader,
): AnswerRow[] {
  return records.flatMap((sample, i) =>
    logits.rows(i).map((row, exit) => {
      const { label: answer, confidence } = readingOf(row, reader, exit);
      return { sample, exit, label: labels[i], answer, confidence, margin: marginOf(row, labels[i]) };
    }),
  );
}

/** The logit of a class minus the largest of the others. */
function marginOf(row: Float32Array, label: number): number {
  let other = -Infinity;
  for (let i = 0; i < row.length; i++) if (i !== label && row[i] > other) other = row[i];
  return row[label] - other;
}

function logitsFile({ exits, count: n, classes }: Logits): Uint8Array {
  const data = new Float32Array(exits.length * n * classes);
  for (const [k, exit] of exits.entries()) data.set(exit, k * n * classes);
  return writeNpy({ dtype: "float32", dims: [exits.length, n, classes], data });
}
