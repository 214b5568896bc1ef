/** @file Measures how fast a network trains on this machine, by a few steps. */
import { subset } from "../../data/dataset.js";
import type { Backend } from "../../runtime/backend.js";
import { RECIPE_DEFINITIONS } from "../../schema/training.js";
import type { TrainingPlan } from "../run/plan.js";
import { train } from "../run/trainer.js";

/** How fast a network trains. */
export interface Pace {
  /** Images per second of the training steps. */
  readonly steps: number;
  /** Images per second of the frozen backbone, which runs once. Undefined when nothing is
   * frozen. */
  readonly features: number | undefined;
}

/** Options of {@link measurePace}. */
export interface PaceOptions {
  readonly backend: Backend;
  /** A clock in milliseconds. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** Batches of a measurement. The first one is not counted, because it warms up. */
const BATCHES = 4;

/** Trains on a few batches, and forgets the result.
 * @throws DynnError as `train` does, or the signal's reason */
export async function measurePace(
  { network, data, config }: TrainingPlan,
  { backend, now, signal }: PaceOptions,
): Promise<Pace> {
  const [steps, features]: [Mark[], Mark[]] = [[], []];
  const few = Math.min(BATCHES * config.batch, data.train.count);
  const rows = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
  await train({
    ...{ model: network.model, backend, signal, config: { ...config, epochs: 1 } },
    train: subset(data.train, rows(few)),
    validation: subset(data.validation, rows(Math.min(config.batch, data.validation.count))),
    onFeatures: (done) => void addRising(features, { at: now(), done }),
    onStep: ({ totalStep }) => void steps.push({ at: now(), done: totalStep * config.batch }),
  });
  const { frozen } = RECIPE_DEFINITIONS[config.recipe];
  return { steps: rateOf(steps), features: frozen ? rateOf(features) : undefined };
}

interface Mark {
  readonly at: number;
  readonly done: number;
}

/** The features of the validation records come after those of the training, and count from 0. */
const addRising = (marks: Mark[], mark: Mark): unknown => mark.done > (marks.at(-1)?.done ?? 0) && marks.push(mark);

/** Work per second between the first mark and the last one. */
function rateOf(marks: readonly Mark[]): number {
  const [first, last] = [marks[0], marks.at(-1)];
  if (!first || !last || last.at === first.at) return Number.NaN;
  return (1000 * (last.done - first.done)) / (last.at - first.at);
}

/** What the time of a training depends on, for networks of one architecture. */
export interface TrainingSize {
  /** Of one image through the whole network. */
  readonly macs: number;
  /** Number of early exits. */
  readonly heads: number;
}

/** The pace of another network of the same architecture. Steps of the whole network take time in
 * proportion to its MACs. On a frozen backbone, steps train the heads alone.
 * @param of size of the network that was measured
 * @param to size of the other one */
export function scaledPace({ steps, features }: Pace, of: TrainingSize, to: TrainingSize): Pace {
  const whole = of.macs / to.macs;
  if (features === undefined) return { steps: steps * whole, features };
  return { steps: (steps * Math.max(1, of.heads)) / Math.max(1, to.heads), features: features * whole };
}

/** The hours that a run needs at a pace.
 * @param images records in one epoch */
export const hoursOf = ({ steps, features }: Pace, images: number, epochs: number): number =>
  ((features === undefined || Number.isNaN(features) ? 0 : images / features) + (epochs * images) / steps) / 3600;
