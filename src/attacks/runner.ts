/** @file Runs an attack on many samples. It keeps the batch full: a new sample replaces each
 *  finished one, whatever the step of the others. The result of a sample depends on its id and the
 *  seed alone, never on the batch. */

import { type Attack, type AttackOptions, aimed, NOTHING_SPENT, type SampleOutcome } from "./attack.js";
import { Flight, type Pending, type SearchStart } from "./flight.js";
import type { Evaluator } from "./oracle/evaluator.js";
import type { FoundImage } from "./question.js";
import { cleanOf, type Sample } from "./sample.js";

/** Options of {@link runAttack}. */
export interface RunAttackOptions extends AttackOptions {
  /** Evaluates the network that is attacked. */
  readonly evaluator: Evaluator;
}

/** Attack every sample.
 * @returns one outcome per sample, in order
 * @throws the signal's reason when aborted */
export async function runAttack(
  attack: Attack,
  samples: readonly Sample[],
  { evaluator, ...options }: RunAttackOptions,
): Promise<SampleOutcome[]> {
  const run = new Run(attack, aimed(attack, samples, options.seed), evaluator, options);
  for (let group = run.nextGroup(); group.length > 0; group = run.nextGroup()) {
    options.signal?.throwIfAborted();
    const evaluations = await evaluator.evaluate(group);
    const ready = group.filter((pending, i) => pending.flight.receive(pending, evaluations[i]));
    for (const { flight } of ready) run.advance(flight);
    await options.between?.();
  }
  return run.outcomes;
}

/** The state of a run: searches that wait, and outcomes of finished samples. */
class Run {
  readonly outcomes: SampleOutcome[];
  readonly #attack: Attack;
  readonly #samples: readonly Sample[];
  readonly #evaluator: Evaluator;
  readonly #options: AttackOptions;
  readonly #inFlight = new Set<Flight>();
  /** Places in `samples` of the searches to start, in order. */
  readonly #waiting: (readonly number[])[];
  #done = 0;

  constructor(attack: Attack, samples: readonly Sample[], evaluator: Evaluator, options: AttackOptions) {
    this.#attack = attack;
    this.#samples = samples;
    this.#evaluator = evaluator;
    this.#options = options;
    this.outcomes = new Array<SampleOutcome>(samples.length);
    const places = samples.map((_, i) => i);
    this.#waiting = attack.method.scope === "set" ? [places] : places.map((i) => [i]);
  }

  /** At most one batch of questions of the same kind. It takes the kind that most questions have.
   * Empty at the end. */
  nextGroup(): Pending[] {
    // Enough questions that each loss of the goal can fill a batch.
    const capacity = this.#options.batch * this.#attack.goal.losses.length;
    let open = 0;
    for (const flight of this.#inFlight) open += flight.open;
    while (open < capacity && this.#waiting.length > 0) open += this.#admit(this.#waiting.shift() as readonly number[]);
    const groups = new Map<string, Pending[]>();
    for (const flight of this.#inFlight)
      for (const pending of flight.pending) {
        const { loss, gradient, targets, through } = pending.question;
        const key = `${loss.key}/${gradient}/${targets?.length}/${through?.kind}/${through?.slope}`;
        const group = groups.get(key);
        if (group) group.push(pending);
        else groups.set(key, [pending]);
      }
    const largest = [...groups.values()].reduce<Pending[]>((a, b) => (b.length > a.length ? b : a), []);
    return largest.slice(0, this.#options.batch);
  }

  /** Continues a search that has all its replies. */
  advance(flight: Flight): void {
    const found = flight.advance();
    if (!found) return;
    this.#inFlight.delete(flight);
    const next = flight.vanishedInVain(found) ? this.#retry(flight.start) : undefined;
    if (next) this.#start({ ...next, earlier: flight.start.earlier ?? found, spent: flight.spent });
    else this.#land(flight, found);
  }

  /** The search again, with the next loss that is free of scale. */
  #retry(start: SearchStart): Pick<SearchStart, "places" | "samples" | "goal" | "attempt"> | undefined {
    const { goal, method, withLoss } = this.#attack;
    const form = method.retriesVanished ? goal.scaleFree?.[start.attempt] : undefined;
    return form && { ...start, goal: withLoss(form), attempt: start.attempt + 1 };
  }

  /** @returns the number of new questions */
  #admit(places: readonly number[]): number {
    const known = places.length === 1 ? this.#options.known?.get(places[0]) : undefined;
    if (known) {
      this.#put(places[0], known);
      return 0;
    }
    const { goal, method } = this.#attack;
    const samples = places.map((i) => this.#samples[i]);
    if (method.scope === "sample" && this.#hasWon(samples[0])) {
      this.#put(places[0], { image: samples[0].pixels, eligible: false, success: true, spent: NOTHING_SPENT });
      return 0;
    }
    return this.#start({
      places,
      samples,
      goal,
      attempt: 0,
      earlier: undefined,
      spent: places.map(() => NOTHING_SPENT),
    });
  }

  #hasWon(sample: Sample): boolean {
    const { goal } = this.#attack;
    return goal.everySampleEligible !== true && goal.succeeded(sample, cleanOf(sample));
  }

  #start(start: SearchStart): number {
    const flight = new Flight(start, this.#attack, this.#evaluator, { seed: this.#options.seed, set: this.#samples });
    this.#inFlight.add(flight);
    this.advance(flight);
    return flight.open;
  }

  #land({ start, spent, vanished, lossRose }: Flight, found: readonly FoundImage[]): void {
    const { places, samples, earlier } = start;
    for (const [k, place] of places.entries()) {
      const kept = earlier && !found[k].success ? earlier[k] : found[k];
      this.#put(place, {
        ...kept,
        eligible: this.#attack.method.scope === "sample" || !this.#hasWon(samples[k]),
        spent: spent[k],
        ...(vanished[k] ? { vanished: true } : {}),
        ...(lossRose[k] === undefined ? {} : { lossRose: lossRose[k] }),
      });
    }
  }

  #put(at: number, outcome: SampleOutcome): void {
    this.outcomes[at] = outcome;
    this.#options.onOutcome?.(at, outcome);
    this.#options.onProgress?.(++this.#done, this.#samples.length);
  }
}
