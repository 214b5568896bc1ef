/** @file The task `craft`: attacks records on a network, and keeps the images rounded to 8 bits. */
import { z } from "zod";
import type { SampleOutcome } from "../../../attacks/attack.js";
import { aimed } from "../../../attacks/attack.js";
import { Evaluator } from "../../../attacks/oracle/evaluator.js";
import { type Sample, samplesOf, toEightBits } from "../../../attacks/sample.js";
import { attackConfigSchema, configureAttack } from "../../../attacks/spec.js";
import { imageDims } from "../../../core/images.js";
import { readImages } from "../../../data/dataset.js";
import { writeNpy } from "../../../data/npy.js";
import { checkedParquet } from "../../../data/parquet.js";
import { Forward } from "../../../dynamic/run/forward.js";
import { norms } from "../../../measures/norms.js";
import { count } from "../../../schema/numbers.js";
import type { Policy } from "../../../schema/policy.js";
import { singleExitPolicy } from "../../../schema/policy.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import { OUTCOME_COLUMNS, type OutcomeRow } from "../../../schema/study/tables.js";
import { runStored } from "../../audit/store.js";
import { attackRoom, batchOf } from "../../batch.js";
import { type TaskContext, type TaskInputs, taskKind } from "../kind.js";
import { IMAGES_FILE, type Opened, openNetwork } from "./opened.js";
import { POLICY_FILE, readPolicy } from "./thresholds.js";

export const OUTCOMES_FILE = "outcomes.parquet";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  attack: attackConfigSchema,
  seed: count,
  macs: count.describe("of one image, for estimates"),
  gradients: z.number().min(0).describe("forward and backward passes for one image, for estimates"),
});
export type CraftParameters = z.infer<typeof parameters>;

export const craftKind = taskKind<CraftParameters>({
  name: "craft",
  version: 1,
  about: "attacks records on a network",
  parameters,
  inputs: ["networks", "policy"],
  cores: "one",
  macs: ({ data, macs, gradients }) => 3 * gradients * recordsOf(data).length * macs,
  run: async (key, given, inputs, context) => {
    const opened = await openNetwork(given, context);
    const policy = await policyOf(inputs);
    const { samples, outcomes, seconds } = await attacked(key, given, { ...opened, policy }, context);
    const rounded = outcomes.map(({ image }) => toEightBits(image));
    return {
      files: {
        [IMAGES_FILE]: imagesFile(rounded, opened),
        [OUTCOMES_FILE]: await checkedParquet(outcomeRows(samples, outcomes, rounded), OUTCOME_COLUMNS),
      },
      facts: { seconds },
    };
  },
});

/** The policy of the input "policy", or that of a network with one exit. */
export async function policyOf(inputs: TaskInputs): Promise<Policy> {
  const [file] = await inputs.files("policy", POLICY_FILE);
  return file ? readPolicy(file) : singleExitPolicy();
}

async function attacked(
  key: string,
  { attack: config, seed }: CraftParameters,
  opened: Opened & { readonly policy: Policy },
  { backend, batch: given, signal, onProgress, unfinished, now, version }: TaskContext,
): Promise<{ samples: readonly Sample[]; outcomes: readonly SampleOutcome[]; seconds: number }> {
  const { model, policy } = opened;
  const victim = { model, policy };
  const attack = configureAttack(config, victim);
  const memory = batchOf({ model, backend, batch: given, images: 4 * opened.data.count, gradients: true });
  const samples = aimed(attack, await samplesFor(opened, { backend, signal, batch: memory.batch }), seed);
  const evaluator = new Evaluator(model, backend, attackRoom(memory, model));
  const store = await unfinished?.(key);
  const options = { model, backend, data: opened.data, attacks: [], policy: { kind: "fixed", policy } } as const;
  try {
    const run = await runStored(
      ...([attack, samples, evaluator, { victim }] as const),
      { ...options, seed, batch: memory.batch, version, store, signal, now },
      onProgress,
    );
    return { samples, outcomes: run.outcomes, seconds: run.seconds };
  } finally {
    await evaluator.release();
  }
}

/** The samples under the numbers that their records have in the data set. */
async function samplesFor(
  { model, data, records }: Opened,
  options: Pick<TaskContext, "backend" | "signal"> & { readonly batch: number },
): Promise<Sample[]> {
  const forward = await Forward.compile(model, options.backend);
  try {
    const images = await readImages(data);
    const logits = await forward.logits(images, options);
    return samplesOf({ images, labels: data.labels, logits }).map((sample, i) => ({ ...sample, id: records[i] }));
  } finally {
    await forward.release();
  }
}

function imagesFile(images: readonly Float32Array[], { model }: Opened): Uint8Array {
  const dims = imageDims(model);
  const each = dims[0] * dims[1] * dims[2];
  const data = new Uint8Array(images.length * each);
  for (const [i, image] of images.entries())
    for (let k = 0; k < each; k++) data[i * each + k] = Math.round(image[k] * 255);
  return writeNpy({ dtype: "uint8", dims: [images.length, ...dims], data });
}

function outcomeRows(
  samples: readonly Sample[],
  outcomes: readonly SampleOutcome[],
  rounded: readonly Float32Array[],
): OutcomeRow[] {
  return samples.map(({ id, label, pixels }, i) => {
    const { eligible, success, spent, vanished = false } = outcomes[i];
    return { sample: id, label, eligible, success, ...norms(pixels, rounded[i]), ...spent, vanished };
  });
}
