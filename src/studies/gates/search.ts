/** @file Searches good fixed blocks: gates that are open, or closed, for every image. The mean cost
 *  stays at or above a target, so what is found may cost a little more than the target. The
 *  cross-entropy decides, because the accuracy on some hundred records is a noisy guide. */

/** How some fixed blocks do on the records of the choice. */
export interface FixedOutcome {
  /** Share of right answers. */
  readonly accuracy: number;
  /** Mean cross-entropy of the answering exits. */
  readonly loss: number;
  /** Mean cost, as a share of the full network's. */
  readonly cost: number;
}

/** What the search needs. */
export interface FixedSearch {
  /** Open rate of each gate on the records of the choice. Null: no record meets it. */
  readonly rates: readonly (number | null)[];
  /** Least mean cost. */
  readonly target: number;
  /** The mean cost without a run. Undefined where it depends on answers. */
  readonly costOf: (open: readonly boolean[]) => number | undefined;
  readonly run: (open: readonly boolean[]) => Promise<FixedOutcome>;
}

/** Fixed blocks that were found, with their outcome. */
export interface FixedBlocks extends FixedOutcome {
  /** One entry per gate. */
  readonly open: readonly boolean[];
}

/** Two candidates. The records of the choice do not say which is better elsewhere, so both are
 * reported. */
export interface FixedCandidates {
  /** Gates closed one after the other, each time the one that leaves the lowest cross-entropy. */
  readonly greedy: FixedBlocks;
  /** The gates with the highest open rates. */
  readonly mostOpen: FixedBlocks;
}

/** Both candidates.
 * @example
 * const { greedy } = await fixedCandidates({ rates: [0.9, 0.2], target: 0.5, costOf, run }); */
export async function fixedCandidates(search: FixedSearch): Promise<FixedCandidates> {
  const all = search.rates.map(() => true);
  const whole = { ...(await search.run(all)), open: all };
  return { greedy: await closedGreedily(search, whole), mostOpen: await mostOpen(search, whole) };
}

/** Closes the gate that leaves the best answers, as long as the cost allows. */
async function closedGreedily(search: FixedSearch, from: FixedBlocks): Promise<FixedBlocks> {
  let best: FixedBlocks | undefined;
  for (const k of from.open.keys()) {
    const found = from.open[k] ? await within(search, from.open.with(k, false)) : undefined;
    if (found && (best === undefined || isBetter(found, best))) best = found;
  }
  return best ? closedGreedily(search, best) : from;
}

/** From all gates open, closes those with the lowest open rates, as long as the cost allows. */
async function mostOpen(search: FixedSearch, whole: FixedBlocks): Promise<FixedBlocks> {
  const rate = (k: number): number => search.rates[k] ?? 0;
  const order = [...whole.open.keys()].sort((a, b) => rate(a) - rate(b) || b - a);
  let kept = whole;
  for (const k of order) kept = (await within(search, kept.open.with(k, false))) ?? kept;
  return kept;
}

/** The outcome, if the cost reaches the target. */
async function within(search: FixedSearch, open: readonly boolean[]): Promise<FixedBlocks | undefined> {
  const known = search.costOf(open);
  if (known !== undefined && known < search.target - ROUNDING) return undefined;
  const found = { ...(await search.run(open)), open };
  return found.cost < search.target - ROUNDING ? undefined : found;
}

/** Sums of shares differ in their last digits. */
const ROUNDING = 1e-9;

const isBetter = (a: FixedOutcome, b: FixedOutcome): boolean =>
  a.loss === b.loss ? a.accuracy > b.accuracy : a.loss < b.loss;
