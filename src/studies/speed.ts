/** @file Times a network under its policy against the same network without early exits, within a
 *  limit on the time. `profile` measures the same with more images, rounds and policies. */
import { type Dataset, first, readImages } from "../data/dataset.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { createExecutor } from "../dynamic/run/executor/index.js";
import { Forward } from "../dynamic/run/forward.js";
import type { Backend } from "../runtime/backend.js";
import { LARGEST_BATCH } from "../runtime/batch.js";
import type { Policy } from "../schema/policy.js";
import type { Spread } from "../schema/profile-record.js";
import type { Speeds } from "../schema/speed.js";
import { roundSpreadOf, steadinessOf } from "../schema/steadiness.js";
import type { Progress } from "./audit/options.js";
import { batchOf } from "./batch.js";
import { staticOf } from "./profile/networks.js";
import { SharedSessions } from "./profile/sessions.js";
import { spreadOf } from "./profile/summary.js";
import { type Contestant, type Measurement, type Runner, timeAll } from "./profile/timing.js";

/** What {@link measureSpeed} takes. */
export interface SpeedOptions {
  readonly model: DynamicModel;
  /** The policy that is timed. */
  readonly policy: Policy;
  readonly backend: Backend;
  /** Images of the model's size. The first ones are timed. */
  readonly data: Dataset;
  /** About how long it may take, in seconds. The default is 20. */
  readonly seconds?: number | undefined;
  /** Number of rounds. The default is 3. */
  readonly rounds?: number | undefined;
  /** Clock in milliseconds. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Fewest and most images. Few say little about how often exits fire. */
const [FEWEST, MOST] = [16, 256];

/** Times the network at batch 1 and at the largest batch of at most 64 that memory and images
 * allow.
 * @throws DynnError 'runtime/load', 'runtime/run', 'shape/unknown', or the signal's reason */
export async function measureSpeed({ seconds = 20, rounds = 3, ...options }: SpeedOptions): Promise<Speeds> {
  const { model, policy, backend, data, now, signal, onProgress } = options;
  const sessions = new SharedSessions(backend);
  const whole = await Forward.compile(staticOf(model), { backend });
  try {
    const probe = await readImages(first(data, 2));
    await whole.logits(probe, { batch: 1, signal });
    const start = now();
    await whole.logits(probe, { batch: 1, signal });
    const perImage = Math.max(1e-3, (now() - start) / probe.count);
    // Two networks at two batch sizes.
    const affordable = Math.floor((1000 * seconds) / (4 * rounds * perImage));
    const images = await readImages(first(data, Math.min(MOST, Math.max(FEWEST, affordable))));
    const largest = Math.min(LARGEST_BATCH, batchOf({ model, backend }).batch, images.count);
    const batches = [...new Set([1, largest])];
    const contestants = [
      contestantOf(batches, (batch) => async (some, stop) => whole.logits(some, { batch, signal: stop })),
      await routedContestant(model, policy, batches, sessions),
    ];
    const measured = await timeAll(contestants, { images, batches, rounds, now, signal, onProgress });
    const [fixed, routed] = contestants.map((one) => measured.get(one));
    const timesAt = (of: ReadonlyMap<number, Measurement> | undefined, batch: number) => of?.get(batch)?.perImage ?? [];
    return {
      images: images.count,
      rounds,
      batches: batches.map((batch) => speedAt(batch, timesAt(fixed, batch), timesAt(routed, batch))),
      steadiness: steadinessOf(largestSpread([fixed, routed].flatMap((of) => batches.map((b) => timesAt(of, b))))),
    };
  } finally {
    await whole.release();
    await sessions.release();
  }
}

const contestantOf = (batches: readonly number[], runner: (batch: number) => Runner): Contestant => ({
  latency: false,
  runners: new Map(batches.map((batch) => [batch, runner(batch)])),
});

async function routedContestant(
  model: DynamicModel,
  policy: Policy,
  batches: readonly number[],
  backend: Backend,
): Promise<Contestant> {
  const runners = new Map<number, Runner>();
  for (const batch of batches) {
    const executor = await createExecutor(model, { backend, policy, batch });
    runners.set(batch, ({ data }, signal) => executor.classify(data, { signal }));
  }
  return { latency: false, runners };
}

const speedAt = (
  batch: number,
  fixed: readonly number[],
  routed: readonly number[],
): { batch: number; speedUp: Spread; msPerImage: Spread } => ({
  batch,
  speedUp: spreadOf(routed.map((own, round) => fixed[round] / own)),
  msPerImage: spreadOf(routed),
});

function largestSpread(rounds: readonly (readonly number[])[]): number | undefined {
  const spreads = rounds.flatMap((times) => roundSpreadOf(times) ?? []);
  return spreads.length > 0 ? Math.max(...spreads) : undefined;
}
