/** @file Timing: networks take turns, round by round, so that a machine that slows down slows all of them. Every other round goes backwards:
 *  a steady drift then weighs on the first as on the last. Warm-up comes first and is not counted. */
import type { Images } from "../../core/images.js";
import type { Progress } from "../audit/options.js";

/** Runs images in batches of a fixed size. */
export type Runner = (images: Images, signal: AbortSignal | undefined) => Promise<unknown>;

export interface Contestant {
  /** By batch size; batch sizes that are not there are not measured. */
  readonly runners: ReadonlyMap<number, Runner>;
  /** Whether requests are timed one by one, too. */
  readonly latency: boolean;
}

/** What was measured of one contestant at one batch size, in milliseconds. */
export interface Measurement {
  /** Per image, with all images at hand: one entry per round. */
  readonly perImage: number[];
  /** Of whole batches that arrive alone, over all rounds. */
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

/** Requests timed in one round at most: 200 over five rounds fix the 99th percentile. */
const MOST_REQUESTS = 200;
/** Images of a warm-up run at least. */
const WARM_UP = 8;

/** One contestant's turn at one batch size. */
interface Turn {
  readonly contestant: Contestant;
  readonly batch: number;
  readonly run: Runner;
}

export type Measurements = ReadonlyMap<Contestant, ReadonlyMap<number, Measurement>>;

/** Measure all contestants at all their batch sizes.
 * @throws what a runner throws, or the signal's reason when aborted */
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
