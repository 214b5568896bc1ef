/** @file Runs an attack on many samples. It keeps the batch full: a new sample replaces each
 *  finished one, whatever the step of the others. The result of a sample depends on its id and the
 *  seed alone, never on the batch. */

import type { Budget } from "../perturb/norms.js";
import type { AttackRun, Evaluation, FoundImage, Objective, Optimizer, Query, Sample } from "./attack.js";
import type { Evaluator } from "./evaluator.js";

/** An attack ready to run: a goal, a method, and a distance from the clean image. */
export interface Attack {
  /** The goal of the attack. */
  readonly objective: Objective;
  /** The method that searches for an image. */
  readonly optimizer: Optimizer;
  /** How far the image may move from the clean image. */
  readonly budget: Budget;
}

/** How attacks run. */
export interface AttackOptions {
  /** Random starts depend on this seed and on the sample's id. */
  readonly seed: number;
  /** Samples per evaluation. This number changes time and memory, never results. */
  readonly batch: number;
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of finished samples and the number of all samples. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The result of an attack on one sample. */
export interface SampleOutcome extends FoundImage {
  /** False when the clean image meets the objective already. The attack does not change such a
   * sample. */
  readonly eligible: boolean;
  /** Gradients that the attack computed for this sample. */
  readonly gradientEvaluations: number;
  /** True when a gradient vanished (see {@link LEAST_GRADIENT}) at an image where the attack had
   * not succeeded. */
  readonly vanished?: boolean;
}

/** Float32's resolution at 1. If the largest element of a gradient is smaller, the gradient is zero
 * or rounding: it moves the loss by less than the resolution for each unit of a pixel. */
export const LEAST_GRADIENT = 2 ** -24;

/** Attack every sample.
 * @returns one outcome per sample, in order
 * @throws the signal's reason when aborted */
export async function runAttack(
  attack: Attack,
  samples: readonly Sample[],
  evaluator: Evaluator,
  options: AttackOptions,
): Promise<SampleOutcome[]> {
  const run = new Run(attack, samples, options);
  for (let group = run.nextGroup(); group.length > 0; group = run.nextGroup()) {
    options.signal?.throwIfAborted();
    const evaluations = await evaluator.evaluate(group[0]?.objective ?? attack.objective, group);
    for (const [i, flight] of group.entries()) run.advance(flight, evaluations[i]);
  }
  return run.outcomes;
}

/** A sample that waits for an evaluation. */
interface Flight {
  readonly at: number;
  readonly sample: Sample;
  readonly run: AttackRun;
  query: Query;
  gradients: number;
  vanished: boolean;
  /** That of the attack, or one of its forms that are free of scale. */
  readonly objective: Objective;
  /** What an earlier attempt found whose gradient vanished. */
  readonly earlier?: FoundImage;
  /** Number of attempts before this one. */
  readonly attempt: number;
}

/** The state of a run: samples that wait, and outcomes of finished samples. */
class Run {
  readonly outcomes: SampleOutcome[];
  readonly #attack: Attack;
  readonly #samples: readonly Sample[];
  readonly #options: AttackOptions;
  readonly #inFlight = new Set<Flight>();
  #next = 0;
  #done = 0;

  constructor(attack: Attack, samples: readonly Sample[], options: AttackOptions) {
    this.#attack = attack;
    this.#samples = samples;
    this.#options = options;
    this.outcomes = new Array<SampleOutcome>(samples.length);
  }

  /** At most one batch of samples that wait for the same kind of evaluation. It takes the kind that
   * most samples wait for. Empty at the end. */
  nextGroup(): Flight[] {
    // Enough samples that each loss of the objective can fill a batch.
    const capacity = this.#options.batch * this.#attack.objective.losses.length;
    while (this.#inFlight.size < capacity && this.#next < this.#samples.length) this.#admit(this.#next++);
    const groups = new Map<string, Flight[]>();
    for (const flight of this.#inFlight) {
      const key = `${flight.attempt}/${flight.query.loss}/${flight.query.gradient}`;
      const group = groups.get(key);
      if (group) group.push(flight);
      else groups.set(key, [flight]);
    }
    const largest = [...groups.values()].reduce<Flight[]>((a, b) => (b.length > a.length ? b : a), []);
    return largest.slice(0, this.#options.batch);
  }

  /** Gives a sample its evaluation. The sample then yields its next query or finishes. */
  advance(flight: Flight, evaluation: Evaluation): void {
    if (flight.query.gradient) {
      flight.gradients++;
      flight.vanished ||= hasVanished(flight, evaluation);
    }
    const step = flight.run.next(evaluation);
    if (step.done) this.#finish(flight, step.value);
    else flight.query = step.value;
  }

  #finish(flight: Flight, found: FoundImage): void {
    const { at, sample, gradients, vanished, earlier, attempt } = flight;
    this.#inFlight.delete(flight);
    const { objective, optimizer } = this.#attack;
    const next = optimizer.retriesVanished ? objective.scaleFree?.[attempt] : undefined;
    if (vanished && !found.success && next)
      this.#start(at, sample, next, { found: earlier ?? found, gradients, attempt: attempt + 1 });
    else
      this.#land(at, {
        ...(earlier && !found.success ? earlier : found),
        eligible: true,
        gradientEvaluations: gradients,
        ...(vanished ? { vanished } : {}),
      });
  }

  #admit(at: number): void {
    const { objective } = this.#attack;
    const sample = this.#samples[at];
    const won = objective.everySampleEligible !== true && objective.succeeded(sample, sample.clean);
    if (won) {
      this.#land(at, { image: sample.pixels, eligible: false, success: true, gradientEvaluations: 0 });
      return;
    }
    this.#start(at, sample, objective);
  }

  /** @param before the attempt that the gradient vanished in, if there was one */
  #start(
    at: number,
    sample: Sample,
    objective: Objective,
    before?: { readonly found: FoundImage; readonly gradients: number; readonly attempt: number },
  ): void {
    const { optimizer, budget } = this.#attack;
    const run = optimizer.run({ sample, objective, budget, seed: this.#options.seed });
    const first = run.next();
    const { found: earlier, gradients = 0, attempt = 0 } = before ?? {};
    const state = { at, sample, run, objective, gradients, attempt, vanished: before !== undefined };
    if (first.done) this.#land(at, { ...first.value, eligible: true, gradientEvaluations: gradients });
    else this.#inFlight.add({ ...state, query: first.value, ...(earlier ? { earlier } : {}) });
  }

  #land(at: number, outcome: SampleOutcome): void {
    this.outcomes[at] = outcome;
    this.#options.onProgress?.(++this.#done, this.#samples.length);
  }
}

/** Whether the gradient vanished at an image where the attack has not succeeded. A loss that
 * belongs to another image does not count. */
function hasVanished({ sample, objective, query }: Flight, { gradient, logits, loss }: Evaluation): boolean {
  // A smaller cross-entropy means that the probability of the label is 1. Its gradient is then 0.
  const saturated = objective.scaleFree !== undefined && Math.abs(loss) < LEAST_GRADIENT;
  if (!saturated && gradient.some((g) => Math.abs(g) >= LEAST_GRADIENT)) return false;
  if ((objective.follow?.(logits, query.loss) ?? query.loss) !== query.loss) return false;
  return !objective.succeeded(sample, logits);
}
