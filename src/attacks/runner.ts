/** @file Runs an attack on many samples: keeps a batch full of samples at whatever step they are, takes finished ones out,
 *  lets new ones in. What a sample gets depends on its id and the seed alone, never on the batch. */

import type { Budget } from "../perturb/norms.js";
import type { AttackRun, Evaluation, FoundImage, Objective, Optimizer, Query, Sample } from "./attack.js";
import type { Evaluator } from "./evaluator.js";

/** An attack ready to run: what to reach, how, and how far from the clean image. */
export interface Attack {
  /** What the attack wants to reach. */
  readonly objective: Objective;
  /** How the attack looks for it. */
  readonly optimizer: Optimizer;
  /** How far from the clean image it may go. */
  readonly budget: Budget;
}

/** How attacks run. */
export interface AttackOptions {
  /** Random starts follow from it and from the sample's id. */
  readonly seed: number;
  /** Samples per evaluation; changes time and memory, never results. */
  readonly batch: number;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many samples are done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What an attack reached on one sample. */
export interface SampleOutcome extends FoundImage {
  /** False when the objective was met on the clean image already; such a sample is left as it is. */
  readonly eligible: boolean;
  /** Gradients that the attack computed for this sample. */
  readonly gradientEvaluations: number;
  /** True when a gradient vanished (see {@link LEAST_GRADIENT}) at an image that was no success. */
  readonly vanished?: boolean;
}

/** Float32's resolution at 1. A gradient whose largest element is smaller moves the loss by less than that for each unit of a pixel: it is
 *  rounding, or zero. */
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

/** A sample on its way, waiting for the evaluation it asked for. */
interface Flight {
  readonly at: number;
  readonly sample: Sample;
  readonly run: AttackRun;
  query: Query;
  gradients: number;
  vanished: boolean;
  /** That of the attack, or its form on margins. */
  readonly objective: Objective;
  /** What a first attempt found whose gradient vanished. */
  readonly earlier?: FoundImage;
}

/** Who is in the air, who has landed. */
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

  /** Up to a batch of samples that wait for the same kind of evaluation: the kind that most wait for. Empty at the end. */
  nextGroup(): Flight[] {
    // Enough in flight that each loss of the objective can fill a batch.
    const capacity = this.#options.batch * this.#attack.objective.losses.length;
    while (this.#inFlight.size < capacity && this.#next < this.#samples.length) this.#admit(this.#next++);
    const groups = new Map<string, Flight[]>();
    for (const flight of this.#inFlight) {
      const key = `${flight.earlier !== undefined}/${flight.query.loss}/${flight.query.gradient}`;
      const group = groups.get(key);
      if (group) group.push(flight);
      else groups.set(key, [flight]);
    }
    const largest = [...groups.values()].reduce<Flight[]>((a, b) => (b.length > a.length ? b : a), []);
    return largest.slice(0, this.#options.batch);
  }

  /** Hand a sample its evaluation; it asks for the next one or lands. */
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
    const { at, sample, gradients, vanished, earlier } = flight;
    this.#inFlight.delete(flight);
    const { objective, optimizer } = this.#attack;
    if (vanished && !found.success && !earlier && optimizer.retriesVanished && objective.onMargins)
      this.#start(at, sample, objective.onMargins, { found, gradients });
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
    before?: { readonly found: FoundImage; readonly gradients: number },
  ): void {
    const { optimizer, budget } = this.#attack;
    const run = optimizer.run({ sample, objective, budget, seed: this.#options.seed });
    const first = run.next();
    const state = { at, sample, run, objective, gradients: before?.gradients ?? 0, vanished: before !== undefined };
    if (first.done) this.#land(at, { ...first.value, eligible: true, gradientEvaluations: state.gradients });
    else this.#inFlight.add({ ...state, query: first.value, ...(before ? { earlier: before.found } : {}) });
  }

  #land(at: number, outcome: SampleOutcome): void {
    this.outcomes[at] = outcome;
    this.#options.onProgress?.(++this.#done, this.#samples.length);
  }
}

/** Whether the gradient says nothing at an image that is no success yet. Under a loss that belongs to another image, it need not. */
function hasVanished({ sample, objective, query }: Flight, { gradient, logits, loss }: Evaluation): boolean {
  // Where a cross-entropy is smaller, the probability of the label has become 1, and its part of the gradient 0.
  const saturated = objective.onMargins !== undefined && Math.abs(loss) < LEAST_GRADIENT;
  if (!saturated && gradient.some((g) => Math.abs(g) >= LEAST_GRADIENT)) return false;
  if ((objective.follow?.(logits, query.loss) ?? query.loss) !== query.loss) return false;
  return !objective.succeeded(sample, logits);
}
