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
}

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
    const evaluations = await evaluator.evaluate(attack.objective, group);
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
      const key = `${flight.query.loss}/${flight.query.gradient}`;
      const group = groups.get(key);
      if (group) group.push(flight);
      else groups.set(key, [flight]);
    }
    const largest = [...groups.values()].reduce<Flight[]>((a, b) => (b.length > a.length ? b : a), []);
    return largest.slice(0, this.#options.batch);
  }

  /** Hand a sample its evaluation; it asks for the next one or lands. */
  advance(flight: Flight, evaluation: Evaluation): void {
    if (flight.query.gradient) flight.gradients++;
    const step = flight.run.next(evaluation);
    if (step.done) {
      this.#inFlight.delete(flight);
      this.#land(flight.at, { ...step.value, eligible: true, gradientEvaluations: flight.gradients });
    } else flight.query = step.value;
  }

  #admit(at: number): void {
    const { objective, optimizer, budget } = this.#attack;
    const sample = this.#samples[at];
    const won = objective.everySampleEligible !== true && objective.succeeded(sample, sample.clean);
    if (won) {
      this.#land(at, { image: sample.pixels, eligible: false, success: true, gradientEvaluations: 0 });
      return;
    }
    const run = optimizer.run({ sample, objective, budget, seed: this.#options.seed });
    const first = run.next();
    if (first.done) this.#land(at, { ...first.value, eligible: true, gradientEvaluations: 0 });
    else this.#inFlight.add({ at, sample, run, query: first.value, gradients: 0 });
  }

  #land(at: number, outcome: SampleOutcome): void {
    this.outcomes[at] = outcome;
    this.#options.onProgress?.(++this.#done, this.#samples.length);
  }
}
