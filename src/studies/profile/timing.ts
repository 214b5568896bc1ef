/** @file Times networks, which take turns in every round, so that a slower machine affects all of
 *  them. Every other round has the reverse order, so that a steady drift affects the first and the
 *  last network alike. A warm-up comes first and is not counted. */
import type { Images } from "../../core/images.js";
import type { Progress } from "../audit/options.js";

/** Runs images in batches of a fixed size. */
export type Runner = (images: Images, signal: AbortSignal | undefined) => Promise<unknown>;

export interface Contestant {
  /** Runners by batch size. Other batch sizes are not measured. */
  readonly runners: ReadonlyMap<number, Runner>;
  /** Whether single requests are timed too. */
  readonly latency: boolean;
}

/** The times of one contestant at one batch size, in milliseconds. */
export interface Measurement {
  /** Time per image when all images are available. One entry per round. */
  readonly perImage: number[];
  /** Times of whole batches that arrive alone, over all rounds. */
  readonly requests: number[];
}

export interface TimingOptions {
  readonly images: Images;
  readonly batches: readonly number[];
  readonly rounds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly now: () => number;
}

/** Largest number of requests to time in one round. 200 requests over five rounds determine the
 * 99th percentile. */
const MOST_REQUESTS = 200;
/** Smallest number of images in a warm-up run. */
const WARM_UP = 8;

/** One contestant's turn at one batch size. */
interface Turn {
  readonly contestant: Contestant;
  readonly batch: number;
  readonly run: Runner;
}

export type Measurements = ReadonlyMap<Contestant, ReadonlyMap<number, Measurement>>;

/** Measures all contestants at all their batch sizes.
 * @throws every error of a runner, or the signal's reason when aborted */
export async function timeAll(contestants: readonly Contestant[], options: TimingOptions): Promise<Measurements> {
  const { images, rounds, batches, signal, onProgress } = options;
  const turns = batches.flatMap((batch) => turnsAt(contestants, batch));
  const found = new Map(contestants.map((c) => [c, new Map([...c.runners.keys()].map((b) => [b, empty()]))]));
  for (const [done, { batch, run }] of turns.entries()) {
    signal?.throwIfAborted();
    await run(images.rows(0, Math.max(batch, WARM_UP)), signal);
    onProgress?.({ phase: "warm-up", done: done + 1, total: turns.length });
  }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? turns : [...turns].reverse();
    for (const [done, turn] of order.entries()) {
      await take(turn, found.get(turn.contestant)?.get(turn.batch) as Measurement, options);
      onProgress?.({ phase: "timing", done: round * turns.length + done + 1, total: rounds * turns.length });
    }
  }
  return found;
}

const empty = (): Measurement => ({ perImage: [], requests: [] });

const turnsAt = (contestants: readonly Contestant[], batch: number): Turn[] =>
  contestants.flatMap((contestant) => {
    const run = contestant.runners.get(batch);
    return run ? [{ contestant, batch, run }] : [];
  });

async function take({ contestant, batch, run }: Turn, into: Measurement, options: TimingOptions): Promise<void> {
  const { images, signal } = options;
  const timed = async (part: Images): Promise<number> => {
    signal?.throwIfAborted();
    const from = options.now();
    await run(part, signal);
    return options.now() - from;
  };
  into.perImage.push((await timed(images)) / images.count);
  const requests = contestant.latency ? Math.min(MOST_REQUESTS, Math.floor(images.count / batch)) : 0;
  for (let i = 0; i < requests; i++) into.requests.push(await timed(images.rows(i * batch, (i + 1) * batch)));
}
