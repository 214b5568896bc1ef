/** @file The task `craft`: attacks records on a network, and keeps the images: rounded to 8 bits,
 *  exactly, or not at all. */
import { z } from "zod";
import type { SampleOutcome } from "../../../attacks/attack.js";
import { aimed } from "../../../attacks/attack.js";
import type { Goal } from "../../../attacks/goals/goal.js";
import { cleanOf, type Sample, samplesOf, toEightBits } from "../../../attacks/sample.js";
import { attackConfigSchema, configureAttack, readsFull } from "../../../attacks/spec.js";
import { imageDims } from "../../../core/images.js";
import { stackRows, type Tensor, tensor } from "../../../core/tensor.js";
import { route } from "../../../dynamic/route/route.js";
import { norms } from "../../../measures/norms.js";
import { count } from "../../../schema/numbers.js";
import type { Policy } from "../../../schema/policy.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import type { OutcomeRow } from "../../../schema/study/tables.js";
import { runStored } from "../../audit/store.js";
import { attackRoom, batchOf } from "../../batch.js";
import type { Opened } from "../bench.js";
import { type RunningContext, type TaskInputs, taskKind } from "../kind.js";
import { FULL_FILE, GATES_FILE, LOGITS_FILE, logitsOf, withFull } from "./answers.js";
import { IMAGES_FILE, OUTCOMES_FILE, REACHED_FILE, ROSE_FILE } from "./opened.js";
import { POLICY_FILE, policyOf, readPolicy } from "./policy.js";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  attack: attackConfigSchema,
  seed: count,
  /** Number of records, from the first on; absent: all. */
  first: count.optional(),
  /** Whether samples whose clean image meets the goal are left out. */
  standing: z.boolean().optional(),
  /** How images are kept; absent: rounded to 8 bits. */
  images: z.enum(["exact", "none"]).optional(),
  /** Of one image, for estimates. */
  macs: count,
  /** Forward and backward passes for one image, for estimates. */
  gradients: z.number().min(0),
});
export type CraftParameters = z.infer<typeof parameters>;

export const craftKind = taskKind<CraftParameters>({
  name: "craft",
  version: 1,
  parameters,
  // "clean" gives the logits of clean images. All networks of "agreed", under "policies", must be
  // right. The attack of "survived" must have failed.
  inputs: ["networks", "policy", "clean", "agreed", "policies", "survived"],
  cores: "one",
  macs: ({ data, macs, gradients }) => 3 * gradients * recordsOf(data).length * macs,
  run: async (key, given, inputs, context) => {
    const found = await context.bench.open(given);
    const policy = await policyOf(inputs);
    const opened = { ...found, model: context.bench.under(found.model, policy) };
    const { samples, outcomes, seconds } = await attacked(key, given, { ...opened, policy }, inputs, context);
    const reached = reachedOf(outcomes);
    const kept = outcomes.map(({ image }) => (given.images ? image : toEightBits(image)));
    return {
      files: {
        ...(given.images === "none" ? {} : { [IMAGES_FILE]: imagesOf(kept, opened, given.images === "exact") }),
        ...(given.images ? { [ROSE_FILE]: rosesOf(outcomes) } : {}),
        ...(given.images && reached ? { [REACHED_FILE]: reached } : {}),
        [OUTCOMES_FILE]: { rows: outcomeRows(samples, outcomes, kept) },
      },
      facts: { seconds },
    };
  },
});

async function attacked(
  key: string,
  { attack: config, seed, first, standing }: CraftParameters,
  opened: Opened & { readonly policy: Policy },
  inputs: TaskInputs,
  context: RunningContext,
): Promise<{ samples: readonly Sample[]; outcomes: readonly SampleOutcome[]; seconds: number }> {
  const { backend, bench, signal, onProgress, unfinished, now, version } = context;
  const { model, policy } = opened;
  const victim = { model, policy };
  const attack = configureAttack(config, victim);
  const memory = context.memory ?? batchOf({ model, backend, images: 4 * opened.data.count, gradients: true });
  const wanted = { batch: memory.batch, first, full: readsFull(config) };
  const all = aimed(attack, await samplesFor(opened, inputs, { ...context, ...wanted }), seed);
  const stands = await standingIn(inputs, standing ? attack.goal : undefined);
  const samples = all.filter(stands);
  const evaluator = await bench.evaluator(model, attackRoom(memory, model));
  const store = await unfinished?.(key);
  const run = await runStored(...([attack, samples, evaluator, victim] as const), {
    seed,
    batch: memory.batch,
    version,
    store,
    signal,
    now,
    onProgress,
  });
  return { samples, outcomes: run.outcomes, seconds: run.seconds };
}

/** The samples to attack, under the numbers that their records have in the data set. */
async function samplesFor(
  { model, data, records, images: read, pixels: rows }: Opened,
  inputs: TaskInputs,
  {
    bench,
    signal,
    batch,
    ...wanted
  }: RunningContext & { readonly batch: number; readonly first: number | undefined; readonly full: boolean },
): Promise<Sample[]> {
  const [images, pixels] = [await read(), await rows()];
  const [clean] = await inputs.arrays("clean", LOGITS_FILE);
  const [gates] = await inputs.optional("clean", GATES_FILE);
  const [known] = await inputs.optional("clean", FULL_FILE);
  const { first } = wanted;
  const full = wanted.full ? (known ?? (await bench.full(model, images, { batch, signal }))) : undefined;
  const found = clean
    ? logitsOf(clean, { gates })
    : await (await bench.forward(model)).logits(images, { batch, signal });
  const logits = withFull(found, full);
  const samples = samplesOf({ images, labels: data.labels.subarray(0, first ?? images.count), logits });
  const agreed = await agreedBy(inputs, data.labels);
  return samples.map((one, i) => ({ ...one, id: records[i], pixels: pixels[i] })).filter((_, i) => agreed(i));
}

/** Which samples the attack is on.
 * @param goal samples whose clean image meets it are left out */
async function standingIn(inputs: TaskInputs, goal: Goal | undefined): Promise<(sample: Sample) => boolean> {
  const [before] = await inputs.tables<OutcomeRow>("survived", OUTCOMES_FILE);
  const survivors = before && new Set(before.flatMap(({ sample, success }) => (success ? [] : [sample])));
  return (sample) => survivors?.has(sample.id) ?? !goal?.succeeded(sample, cleanOf(sample));
}

/** Which records all networks of the input "agreed" answer rightly, under their policies. */
async function agreedBy(inputs: TaskInputs, labels: ArrayLike<number>): Promise<(place: number) => boolean> {
  const policies = (await inputs.files("policies", POLICY_FILE)).map(readPolicy);
  const gates = await inputs.optional("agreed", GATES_FILE);
  const routed = (await inputs.arrays("agreed", LOGITS_FILE)).map((logits, i) =>
    route(logitsOf(logits, { gates: gates[i] }), policies[i]),
  );
  return (place) => routed.every((answers) => answers[place]?.label === labels[place]);
}

function imagesOf(images: readonly Float32Array[], { model }: Opened, isExact: boolean): Tensor {
  const dims = imageDims(model);
  if (isExact) return stackRows(images, dims);
  const each = dims[0] * dims[1] * dims[2];
  const data = new Uint8Array(images.length * each);
  for (const [i, image] of images.entries())
    for (let k = 0; k < each; k++) data[i * each + k] = Math.round(image[k] * 255);
  return tensor("uint8", [images.length, ...dims], data);
}

/** Whether the loss rose above its first value. */
const rosesOf = (outcomes: readonly SampleOutcome[]): Tensor =>
  tensor(
    "int8",
    [outcomes.length],
    Int8Array.from(outcomes, ({ lossRose }) => (lossRose === undefined ? -1 : Number(lossRose))),
  );

/** Which surrogates of hard gates succeeded, [n,surrogates]. Undefined where the attack ran with
 * one. */
function reachedOf(outcomes: readonly SampleOutcome[]): Tensor | undefined {
  const each = outcomes.find(({ reached }) => reached)?.reached?.length;
  if (each === undefined) return undefined;
  const bits = outcomes.flatMap(({ reached }) =>
    Array.from({ length: each }, (_, k) => (reached ? Number(reached[k]) : -1)),
  );
  return tensor("int8", [outcomes.length, each], Int8Array.from(bits));
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
