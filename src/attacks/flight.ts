/** @file A search that waits for replies, and the account of its work. */

import type { Attack, Spent } from "./attack.js";
import type { Goal } from "./goals/goal.js";
import type { Task } from "./methods/method.js";
import type { Asked, Evaluator } from "./oracle/evaluator.js";
import type { Evaluation, FoundImage, Judge, Question, Search } from "./question.js";
import type { Sample } from "./sample.js";

/** Float32's resolution at 1. If the largest element of a gradient is smaller, the gradient is zero
 * or rounding: it moves the loss by less than the resolution for each unit of a pixel. */
export const LEAST_GRADIENT = 2 ** -24;

/** What a search starts with. */
export interface SearchStart {
  /** Places of the samples among all samples of the attack. */
  readonly places: readonly number[];
  readonly samples: readonly Sample[];
  /** That of the attack, or one of its forms that are free of scale. */
  readonly goal: Goal;
  /** Number of searches for these samples before this one. */
  readonly attempt: number;
  /** What an earlier search found whose gradient vanished. */
  readonly earlier: readonly FoundImage[] | undefined;
  /** The work of earlier searches, per sample. */
  readonly spent: readonly Spent[];
}

/** A question that waits for its reply. */
export interface Pending extends Asked {
  readonly flight: Flight;
  /** Place of the question among those of its search. */
  readonly at: number;
  /** Place of the sample among those of its search. */
  readonly of: number;
}

/** One search for one sample, or for all samples at once. */
export class Flight {
  readonly start: SearchStart;
  readonly spent: Spent[];
  readonly vanished: boolean[];
  readonly lossRose: (boolean | undefined)[];
  /** The first loss of each sample, with its key. Losses of different keys are not compared. */
  readonly #firstLoss: ({ readonly key: string; readonly value: number } | undefined)[];
  readonly pending = new Set<Pending>();
  readonly #goal: Goal;
  readonly #search: Search<readonly FoundImage[]>;
  readonly #evaluator: Evaluator;
  #asked: readonly Pending[] = [];
  #replies: readonly Evaluation[] | undefined;

  constructor(start: SearchStart, attack: Attack, evaluator: Evaluator, { seed, set }: Pick<Task, "seed" | "set">) {
    this.start = start;
    this.#goal = start.goal;
    this.#evaluator = evaluator;
    this.spent = start.spent.slice();
    this.vanished = start.samples.map(() => start.attempt > 0);
    this.lossRose = start.samples.map(() => undefined);
    this.#firstLoss = start.samples.map(() => undefined);
    this.#search = attack.method.start(
      start.samples.map((sample) => taskOf(attack, start.goal, { sample, seed, dims: evaluator.dims, set })),
    );
  }

  /** Number of questions without a reply. */
  get open(): number {
    return this.pending.size;
  }

  /** Takes the reply to one question.
   * @returns whether it was the last one that the search waits for */
  receive(pending: Pending, evaluation: Evaluation): boolean {
    this.pending.delete(pending);
    (this.#replies as Evaluation[])[pending.at] = evaluation;
    if (this.pending.size > 0) return false;
    for (const asked of this.#asked) this.#account(asked, (this.#replies as Evaluation[])[asked.at]);
    return true;
  }

  /** Accounts for questions in the order in which they were asked. Batches decide in which order
   * their replies arrive. */
  #account({ of, question, sample }: Pending, evaluation: Evaluation): void {
    const met = this.#isMet(question, evaluation, sample);
    const counts = met === true && question.candidate !== false;
    this.spent[of] = added(this.spent[of], question, this.#evaluator.workOf(question), counts);
    this.#noteLoss(of, question, evaluation.loss);
    if (question.gradient && met === false)
      this.vanished[of] ||= this.#hasVanished(evaluation, question.goal ?? this.#goal);
  }

  /** The first gradient sets the loss that later images are compared with. */
  #noteLoss(of: number, { loss: { key }, gradient }: Question, value: number): void {
    const first = this.#firstLoss[of];
    if (!first && !gradient) return;
    if (!first) {
      this.#firstLoss[of] = { key, value };
      this.lossRose[of] = false;
    } else if (first.key !== key || value > first.value) this.lossRose[of] = true;
  }

  /** Continues the search. Returns what it found at its end, and undefined before. */
  advance(): readonly FoundImage[] | undefined {
    const step = this.#replies === undefined ? this.#search.next() : this.#search.next(this.#replies);
    if (step.done) return step.value;
    this.#replies = new Array<Evaluation>(step.value.length);
    this.#asked = step.value.map((question, at) => this.#pendingOf(question, at));
    for (const asked of this.#asked) this.pending.add(asked);
    return undefined;
  }

  /** Whether the gradient vanished and nothing was found. */
  vanishedInVain(found: readonly FoundImage[]): boolean {
    return this.vanished.some((v, k) => v && !found[k].success);
  }

  #pendingOf(question: Question, at: number): Pending {
    const { samples } = this.start;
    const sample = question.sample ?? samples[0];
    const of = samples.length === 1 ? 0 : samples.indexOf(sample);
    return { flight: this, at, of, question, sample, label: this.#goal.label(sample) };
  }

  /** Whether the image meets the goal. Undefined when the loss belongs to another image, because
   * its logits then do not show the answer. */
  #isMet({ loss, goal }: Question, evaluation: Evaluation, sample: Sample): boolean | undefined {
    const { logits } = evaluation;
    const { follow, losses, exits, succeeded } = goal ?? this.#goal;
    const at = losses.indexOf(loss);
    if (at >= 0 && follow && follow(logits, at) !== at) return undefined;
    if (!follow && exits.some((exit) => logits[exit] === undefined)) return undefined;
    return succeeded(sample, evaluation);
  }

  /** Whether the gradient of an image that does not meet the goal is zero or below float32's
   * resolution. */
  #hasVanished(evaluation: Evaluation, { scaleFree }: Judge): boolean {
    return (evaluation.each ?? [evaluation]).some(({ gradient, loss }) => {
      // A smaller cross-entropy means that the probability of the label is 1. Its gradient is
      // then 0.
      const saturated = scaleFree !== undefined && Math.abs(loss) < LEAST_GRADIENT;
      return saturated || !gradient.some((g) => Math.abs(g) >= LEAST_GRADIENT);
    });
  }
}

function taskOf(attack: Attack, goal: Goal, given: Pick<Task, "sample" | "seed" | "dims" | "set">): Task {
  const withLoss: Task["withLoss"] = (form) => taskOf(attack, attack.withLoss(form), given);
  return { ...given, goal, budget: attack.budget, withLoss };
}

/** The work with one more question. */
function added(
  spent: Spent,
  { gradient, targets }: Question,
  work: { readonly forward: number; readonly backward: number },
  met: boolean,
): Spent {
  const queries = spent.queries + 1;
  const forwardMacs = spent.forwardMacs + work.forward;
  const backwardMacs = spent.backwardMacs + work.backward;
  const first = met && spent.queriesToSuccess === null;
  return {
    queries,
    gradients: spent.gradients + (gradient ? (targets?.length ?? 1) : 0),
    forwardMacs,
    backwardMacs,
    macsToSuccess: first ? forwardMacs + backwardMacs : spent.macsToSuccess,
    queriesToSuccess: first ? queries : spent.queriesToSuccess,
  };
}
