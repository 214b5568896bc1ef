/** @file Early stopping: which epoch was best on the validation records, and when to stop waiting
 *  for a better one. Both follow from the reports, so that a resumed run stops where a run without
 *  a break does. Source: Prechelt, "Early stopping - but when?", 1998. */
import type { Tensor } from "../../core/tensor.js";
import type { EpochReport } from "../../schema/training.js";
import type { StopConfig } from "../recipe/config.js";

/** The mean validation loss over early exits; of the final exit where there is no other. */
export function checkedLoss({ validationLosses }: Pick<EpochReport, "validationLosses">): number {
  const early = validationLosses.length > 1 ? validationLosses.slice(0, -1) : validationLosses;
  return early.reduce((sum, loss) => sum + loss, 0) / early.length;
}

/** The epoch with the smallest validation loss, counted from 0; the first of equals. */
export const bestEpoch = (epochs: readonly Pick<EpochReport, "validationLosses">[]): number =>
  epochs.reduce((best, epoch, i) => (checkedLoss(epoch) < checkedLoss(epochs[best]) ? i : best), 0);

/** Whether a run stops after these epochs. */
export const isStopped = (stop: StopConfig | undefined, epochs: readonly EpochReport[]): boolean =>
  stop !== undefined && epochs.length > 0 && epochs.length - 1 - bestEpoch(epochs) >= stop.patience;

const BEST = "best:";

/** The state of a run with the weights of its best epoch under names of their own. */
export const withBest = (
  now: ReadonlyMap<string, Tensor>,
  best: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> => new Map([...now, ...[...best].map(([name, t]) => [`${BEST}${name}`, t] as const)]);

/** Takes both apart again. */
export function splitBest(kept: ReadonlyMap<string, Tensor> = new Map()): {
  readonly now: ReadonlyMap<string, Tensor>;
  readonly best: ReadonlyMap<string, Tensor>;
} {
  const entries = [...kept];
  return {
    now: new Map(entries.filter(([name]) => !name.startsWith(BEST))),
    best: new Map(
      entries.flatMap(([name, t]) => (name.startsWith(BEST) ? [[name.slice(BEST.length), t] as const] : [])),
    ),
  };
}
