/** @file The task `latency`: the time of a network on clean and on attacked images, one image at a
 *  time. The sets of images take turns, so that a slower machine affects all of them. Source:
 *  docs/method.md, timing. */
import { z } from "zod";
import type { Images } from "../../../core/images.js";
import { createExecutor, type Executor } from "../../../dynamic/run/executor/index.js";
import { count } from "../../../schema/numbers.js";
import { dataRefSchema, networkRefSchema, recordsOf } from "../../../schema/study/references.js";
import type { LatencyRow } from "../../../schema/study/tables.js";
import { taskKind } from "../kind.js";
import { attackedImages, IMAGES_FILE } from "./opened.js";
import { policyOf } from "./policy.js";

export const LATENCY_FILE = "latency.parquet";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  /** Number of images that are timed, from the first on. */
  samples: count.min(1),
  rounds: count.min(1),
  /** Names of the sets of attacked images, in the order of the inputs. */
  sets: z.array(z.string()),
  /** Of one image, for estimates. */
  macs: count,
});
export type LatencyParameters = z.infer<typeof parameters>;

/** Images that are run before the first one that counts. */
const WARM_UP = 8;

export const latencyKind = taskKind<LatencyParameters>({
  name: "latency",
  version: 1,
  parameters,
  inputs: ["networks", "policy", "images"],
  measuresTime: true,
  cores: "all",
  macs: ({ samples, rounds, sets, macs }) => samples * rounds * (sets.length + 1) * macs,
  run: async (_key, given, inputs, { now, ...context }) => {
    const { model, images, records } = await context.bench.open(given);
    const attacked = await inputs.arrays("images", IMAGES_FILE);
    const sets = [await images(), ...attacked.map((stored) => attackedImages(model, stored))];
    const executor = await createExecutor(model, {
      backend: context.backend,
      policy: await policyOf(inputs),
      batch: 1,
    });
    const rows: LatencyRow[] = [];
    const samples = Math.min(given.samples, recordsOf(given.data).length);
    for (let i = 0; i < Math.min(WARM_UP, samples); i++) await executor.classify(sets[0].row(i));
    for (let round = 0; round < given.rounds; round++) {
      rows.push(...(await oneRound(executor, sets, { round, samples, records }, { now, ...context })));
      context.onProgress?.(round + 1, given.rounds);
    }
    return { files: { [LATENCY_FILE]: { rows } } };
  },
});

/** All sets on one image after the other. Every other round takes the sets in reverse. */
async function oneRound(
  executor: Executor,
  sets: readonly Images[],
  {
    round,
    samples,
    records,
  }: { readonly round: number; readonly samples: number; readonly records: readonly number[] },
  { now, signal }: { readonly now: () => number; readonly signal?: AbortSignal | undefined },
): Promise<LatencyRow[]> {
  const order = sets.map((_, set) => (round % 2 === 0 ? set : sets.length - 1 - set));
  const rows: LatencyRow[] = [];
  for (let i = 0; i < samples; i++)
    for (const set of order) {
      signal?.throwIfAborted();
      const from = now();
      await executor.classify(sets[set].row(i));
      rows.push({ set, round, sample: records[i], ms: now() - from });
    }
  return rows;
}
