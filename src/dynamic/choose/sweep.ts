/** @file Tries every threshold of one exit while the others stay fixed. Samples move one by one to
 *  this exit from the later exit where they stop, the most confident first. Each move updates the
 *  means. n samples take O(n) after one sort, and every threshold is tried. */
import type { Outcome } from "./goal.js";
import { type GateReadings, type Readings, stopOf } from "./readings.js";

/** The samples of a search: clean samples, then each set of attacked samples. */
export interface Problem {
  readonly early: number;
  readonly scores: readonly Float64Array[];
  readonly right: readonly Uint8Array[];
  /** The set of each row: 0 for clean, then one number per set of attacked samples. */
  readonly set: Uint8Array;
  /** Number of rows in each set. */
  readonly sizes: readonly number[];
  /** Per early exit: the rows for which it can fire, the most confident first. */
  readonly order: readonly Uint32Array[];
  readonly costs: readonly number[];
  /** What each gate saves when it is closed, and the rows that close it. */
  readonly gates: readonly (GateReadings & { readonly cost: number })[];
}

/** What units cost: the cumulative cost of each exit with all gates open, and what each gate saves
 * when it is closed, in the same unit. */
export interface UnitCosts {
  readonly costs: readonly number[];
  /** The default is 0 for each gate. */
  readonly gateCosts?: readonly number[] | undefined;
}

export function makeProblem(
  clean: Readings,
  attacked: readonly Readings[],
  { costs, gateCosts = [] }: UnitCosts,
): Problem {
  const sets = [clean, ...attacked];
  const scores = clean.scores.map((_, k) => concatenated(sets.map((s) => s.scores[k])));
  return {
    early: scores.length,
    scores,
    right: clean.right.map((_, k) => Uint8Array.from(sets.flatMap((s) => [...s.right[k]]))),
    set: Uint8Array.from(sets.flatMap((s, at) => new Array<number>(s.count).fill(at))),
    sizes: sets.map((s) => s.count),
    order: scores.map(bySureness),
    costs,
    gates: clean.gates.map(({ exit }, k) => ({
      closed: Uint8Array.from(sets.flatMap((s) => [...s.gates[k].closed])),
      exit,
      cost: gateCosts[k] ?? 0,
    })),
  };
}

const concatenated = (parts: readonly Float64Array[]): Float64Array => Float64Array.from(parts.flatMap((p) => [...p]));

const bySureness = (scores: Float64Array): Uint32Array => {
  const rows = Uint32Array.from(scores.keys()).filter((i) => Number.isFinite(scores[i]));
  return rows.sort((a, b) => scores[b] - scores[a] || a - b);
};

/** Counts where rows stop, and which gates are closed before, while rows move. The counts are whole
 * numbers, so the same thresholds give the same means after any order of moves. */
class Tally {
  readonly #right: Float64Array;
  readonly #stops: readonly Float64Array[];
  readonly #closed: readonly Float64Array[];
  readonly #problem: Problem;

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#right = new Float64Array(problem.sizes.length);
    this.#stops = problem.sizes.map(() => new Float64Array(problem.costs.length));
    this.#closed = problem.sizes.map(() => new Float64Array(problem.gates.length));
  }

  /** Lets a row stop at an exit. With -1, removes the row again. */
  stop(row: number, exit: number, times: 1 | -1 = 1): void {
    const { set, right, gates } = this.#problem;
    const own = set[row];
    this.#right[own] += times * right[exit][row];
    this.#stops[own][exit] += times;
    for (const [k, gate] of gates.entries()) if (gate.exit <= exit) this.#closed[own][k] += times * gate.closed[row];
  }

  outcome(): Outcome {
    const full = this.#problem.costs.at(-1) as number;
    let [worstCost, worstAccuracy] = [undefined as number | undefined, undefined as number | undefined];
    for (let at = 1; at < this.#problem.sizes.length; at++) {
      worstCost = Math.max(worstCost ?? 0, this.#cost(at) / full);
      worstAccuracy = Math.min(worstAccuracy ?? 1, this.#accuracy(at));
    }
    return { accuracy: this.#accuracy(0), cost: this.#cost(0), worstCost, worstAccuracy };
  }

  #accuracy(set: number): number {
    return this.#right[set] / this.#problem.sizes[set];
  }

  #cost(set: number): number {
    const { sizes, costs, gates } = this.#problem;
    let sum = 0;
    for (const [exit, count] of this.#stops[set].entries()) sum += count * costs[exit];
    for (const [k, count] of this.#closed[set].entries()) sum -= count * gates[k].cost;
    return sum / sizes[set];
  }
}

/** Accuracy and cost of some thresholds.
 * @param bars one score per early exit */
export function outcomeOf(problem: Problem, bars: Float64Array): Outcome {
  const tally = new Tally(problem);
  for (let row = 0; row < problem.set.length; row++) tally.stop(row, stopOf(problem, bars, row));
  return tally.outcome();
}

/** Visits every threshold of one exit. The first never fires, and the last fires for all rows for
 * which the exit can fire.
 * @param bars one score per early exit. The score of `exit` has no effect
 * @param never a score that no sample reaches */
export function sweep(
  problem: Problem,
  bars: Float64Array,
  exit: number,
  never: number,
  visit: (score: number, outcome: Outcome) => void,
): void {
  const [tally, later] = [new Tally(problem), new Int16Array(problem.set.length).fill(-1)];
  const before = bars.subarray(0, exit);
  for (let row = 0; row < later.length; row++) {
    const early = stopOf(problem, before, row);
    const stop = early < exit ? early : stopOf(problem, bars, row, exit + 1);
    if (early === exit) later[row] = stop;
    tally.stop(row, stop);
  }
  let pending = never;
  for (const row of problem.order[exit]) {
    if (later[row] === -1) continue;
    const score = problem.scores[exit][row];
    if (score !== pending) visit(pending, tally.outcome());
    pending = score;
    tally.stop(row, later[row], -1);
    tally.stop(row, exit);
  }
  visit(pending, tally.outcome());
}
