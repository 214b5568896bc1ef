/** @file Early stopping: which epoch was best on the validation records, and when to stop waiting
 *  for a better one. Both follow from the reports, so that a resumed run stops where a run without
 *  a break does. Source: Prechelt, "Early stopping - but when?", 1998. */
import type { Tensor } from "../../core/tensor.js";
import type { EpochReport } from "../../schema/training.js";
import type { StopConfig } from "../recipe/config.js";

type Checked = Pick<EpochReport, "validationLosses" | "validationAccuracy">;

/** The mean over early exits; that of the final exit where there is no other. */
function meanOf(values: readonly number[]): number {
  const early = values.length > 1 ? values.slice(0, -1) : values;
  return early.reduce((sum, value) => sum + value, 0) / early.length;
}

const accuracyOf = ({ validationAccuracy }: Checked): number => meanOf(validationAccuracy);
const lossOf = ({ validationLosses }: Checked): number => meanOf(validationLosses);

/** Means of equal counts may differ in their last bits. */
const ROUNDING = 1e-9;

const isMoreAccurate = (a: Checked, b: Checked): boolean => accuracyOf(a) > accuracyOf(b) + ROUNDING;
const isBetter = (a: Checked, b: Checked): boolean =>
  isMoreAccurate(a, b) || (!isMoreAccurate(b, a) && lossOf(a) < lossOf(b));

const latest = (epochs: readonly Checked[], better: (a: Checked, b: Checked) => boolean): number =>
  epochs.reduce((best, epoch, i) => (better(epoch, epochs[best]) ? i : best), 0);

/** The epoch with the highest validation accuracy, as the mean over early exits, counted from 0. Of
 * equals, the one with the smallest loss. The loss alone rises with confidence, while answers still
 * become better. */
export const bestEpoch = (epochs: readonly Checked[]): number => latest(epochs, isBetter);

/** Whether a run stops after these epochs: neither accuracy nor loss improved for a while. */
export function isStopped(stop: StopConfig | undefined, epochs: readonly Checked[]): boolean {
  if (stop === undefined || epochs.length === 0) return false;
  const improved = Math.max(
    bestEpoch(epochs),
    latest(epochs, (a, b) => lossOf(a) < lossOf(b)),
  );
  return epochs.length - 1 - improved >= stop.patience;
}

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
