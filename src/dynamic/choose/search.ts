/** @file Searches one threshold for all exits, or one per exit. The samples that reach an exit
 *  depend on every threshold before it, so an exact recursion over exits does not exist. The search
 *  is coordinate ascent with exact line search (see sweep):
 *
 *  1. trace: for 25 prices of cost, ascend accuracy - price x cost. Start from the best uniform
 *     threshold and from the result of the last price.
 *  2. refine: from the best points, ascend the goal itself, then change two thresholds at a time,
 *     until neither helps.
 *
 *  The start is the best uniform threshold, so the result is never worse. With at most two early
 *  exits and at most GRID different confidences at one of them, step 2 tries every pair. The result
 *  is then the optimum. The search uses no random numbers. */
import { type Goal, goalMerit, isBetter, type Merit, type Outcome } from "./goal.js";
import { makeProblem, outcomeOf, type Problem, sweep } from "./sweep.js";

export { makeProblem, type Problem };

/** The scores at which early exits fire, with their accuracy and cost. */
export interface State {
  readonly bars: Float64Array;
  readonly outcome: Outcome;
}

/** Largest number of uniform thresholds to try, evenly spread over the scores of the samples. */
const CANDIDATES = 500;
/** Number of thresholds of one exit to try with all thresholds of another. */
const GRID = 24;
const PRICES = Array.from({ length: 25 }, (_, i) => 2 ** (i / 2 - 6));
/** Number of points from which to ascend the goal. */
const STARTS = 3;
/** Weights of cost and accuracy under attack. Without attacked samples, only the first entry is
 * used. */
const BLENDS = [
  { cost: 0, accuracy: 0 },
  { cost: 0.5, accuracy: 0 },
  { cost: 0, accuracy: 0.5 },
] as const;

/** States with the same threshold at every exit, one per candidate. The last candidate never
 * fires. */
export function uniformStates(problem: Problem, never: number): State[] {
  const seen = problem.order.flatMap((rows, exit) => Array.from(rows, (row) => problem.scores[exit][row]));
  return [...thinned(seen, CANDIDATES), never].map((score) =>
    stateAt(problem, new Float64Array(problem.early).fill(score)),
  );
}

/** The different values in rising order. At most `most` of them, evenly spread. */
function thinned(values: readonly number[], most: number): number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const count = Math.min(most, sorted.length);
  return Array.from({ length: count }, (_, i) => sorted[Math.floor((i * sorted.length) / count)]);
}

const stateAt = (problem: Problem, bars: Float64Array): State => ({ bars, outcome: outcomeOf(problem, bars) });

/** Points of the curve with one threshold per exit.
 * @param uniform the states to start from, at least one */
export function traceStates(problem: Problem, never: number, uniform: readonly State[]): State[] {
  const full = problem.costs.at(-1) as number;
  const found: State[] = [];
  for (const blend of problem.sizes.length > 1 ? BLENDS : BLENDS.slice(0, 1)) {
    let last: State | undefined;
    for (const price of PRICES) {
      const merit: Merit = ({ accuracy, cost, worstCost = 0, worstAccuracy = 0 }) => [
        mixed(accuracy, worstAccuracy, blend.accuracy) - price * mixed(cost / full, worstCost, blend.cost),
      ];
      for (const start of [bestOf(uniform, merit), ...(last ? [last] : [])]) {
        last = ascend(problem, never, start, merit, (state) => found.push(state));
      }
    }
  }
  return found;
}

const mixed = (clean: number, attacked: number, share: number): number => (1 - share) * clean + share * attacked;

/** The best thresholds per exit for a goal.
 * @param known states to start from: the uniform states and the states of {@link traceStates} */
export function searchPerExit(problem: Problem, never: number, known: readonly State[], goal: Goal): State {
  const merit = goalMerit(goal);
  const ranked = [...known].sort((a, b) => byMerit(merit, a, b)).slice(0, STARTS);
  return bestOf(
    ranked.map((start) => refine(problem, never, start, merit)),
    merit,
  );
}

const byMerit = (merit: Merit, a: State, b: State): number => {
  const [one, two] = [merit(a.outcome), merit(b.outcome)];
  return isBetter(one, two) ? -1 : Number(isBetter(two, one));
};

const bestOf = (states: readonly State[], merit: Merit): State =>
  states.reduce((a, b) => (isBetter(merit(b.outcome), merit(a.outcome)) ? b : a));

/** Changes one threshold at a time until no change helps, then two at a time, and repeats. */
function refine(problem: Problem, never: number, start: State, merit: Merit): State {
  for (let at = start; ; ) {
    const fixedPoint = ascend(problem, never, at, merit);
    at = bestPair(problem, never, fixedPoint, merit);
    if (at === fixedPoint) return at;
  }
}

/** Coordinate ascent: takes the best threshold of one exit after the other, until a round makes no
 * change. */
function ascend(
  problem: Problem,
  never: number,
  start: State,
  merit: Merit,
  onState: (state: State) => void = () => {},
): State {
  let at = start;
  for (let unchanged = 0, exit = 0; unchanged < problem.early; exit = (exit + 1) % problem.early) {
    const next = bestAlong(problem, never, at, exit, merit);
    unchanged = next === at ? unchanged + 1 : 0;
    if (next !== at) onState(next);
    at = next;
  }
  return at;
}

/** The best of all thresholds of one exit. `from` itself when none is better. */
function bestAlong(problem: Problem, never: number, from: State, exit: number, merit: Merit, bars = from.bars): State {
  let [best, most, outcome] = [undefined as number | undefined, merit(from.outcome), from.outcome];
  sweep(problem, bars, exit, never, (score, reached) => {
    const value = merit(reached);
    if (isBetter(value, most)) [best, most, outcome] = [score, value, reached];
  });
  return best === undefined ? from : { bars: bars.with(exit, best), outcome };
}

/** The best change of two thresholds at once, one of them on a grid. `from` itself when none is
 * better. */
function bestPair(problem: Problem, never: number, from: State, merit: Merit): State {
  let best = from;
  for (let one = 0; one < problem.early; one++) {
    const grid = thinned(
      Array.from(problem.order[one], (row) => problem.scores[one][row]),
      GRID,
    );
    for (let two = 0; two < problem.early; two++)
      for (const score of one === two ? [] : [...grid, never])
        best = bestAlong(problem, never, best, two, merit, from.bars.with(one, score));
  }
  return best;
}
