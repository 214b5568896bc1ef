/** @file Searches the best fixed blocks: gates that are open, or closed, for every image. The mean
 *  cost stays at or above a target, so what is found may cost a little more than the target. */

/** How some fixed blocks do on the records of the choice. */
export interface FixedOutcome {
  /** Share of right answers. */
  readonly accuracy: number;
  /** Mean cross-entropy of the answering exits. It decides between equal accuracies. */
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

/** The best fixed blocks that were found. */
export interface FixedBlocks extends FixedOutcome {
  /** One entry per gate. */
  readonly open: readonly boolean[];
}

/** The better of both: gates closed one after the other, and the gates with the highest open
 * rates. */
export async function bestFixedBlocks(search: FixedSearch): Promise<FixedBlocks> {
  const whole = await measured(
    search,
    search.rates.map(() => true),
  );
  const greedy = await closedGreedily(search, whole);
  const often = await mostOpen(search, whole);
  return isBetter(often, greedy) ? often : greedy;
}

/** From all gates open, closes the gate that leaves the best answers, as long as the cost
 * allows. */
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
  const found = await measured(search, open);
  return found.cost < search.target - ROUNDING ? undefined : found;
}

/** Sums of shares differ in their last digits. */
const ROUNDING = 1e-9;

const measured = async ({ run }: FixedSearch, open: readonly boolean[]): Promise<FixedBlocks> => ({
  ...(await run(open)),
  open,
});

const isBetter = (a: FixedOutcome, b: FixedOutcome): boolean =>
  a.accuracy === b.accuracy ? a.loss < b.loss : a.accuracy > b.accuracy;
