/** @file Times to an event with censoring: the Kaplan-Meier curve, its restricted mean, and the
 *  log-rank test of two groups. Sources: Kaplan and Meier, JASA 53, 1958 (errors by Greenwood,
 *  interval on the log scale); Mantel, Cancer Chemotherapy Reports 50, 1966. */
import { chiSquaredTail, normalQuantile } from "./distributions.js";
import { requireEqual, requireValues } from "./sample.js";

/** Times of one group. */
export interface Times {
  readonly time: readonly number[];
  /** Whether the event happened at `time`. Without it, the sample left then, and is censored. */
  readonly event: readonly boolean[];
}

export interface SurvivalStep {
  readonly time: number;
  readonly atRisk: number;
  readonly events: number;
  /** Share of samples without the event after `time`. */
  readonly survival: number;
  /** Standard error by Greenwood's formula. */
  readonly error: number;
  readonly low: number;
  readonly high: number;
}

/** The curve, one step per distinct time, in ascending order.
 * @param level level of the interval at each time, 0.95 by default
 * @throws DynnError `statistics/value` for lists of different lengths or times that are not finite
 * @example kaplanMeier({ time: [1, 2], event: [true, false] })[0].survival // 0.5 */
export function kaplanMeier(group: Times, level = 0.95): SurvivalStep[] {
  const z = normalQuantile(0.5 + level / 2);
  let [survival, sum] = [1, 0];
  return countsOf(group).map(({ time, atRisk, events }) => {
    survival *= 1 - events / atRisk;
    sum += events / (atRisk * (atRisk - events));
    if (survival === 0) return { time, atRisk, events, survival, error: 0, low: 0, high: 0 };
    const factor = Math.exp(z * Math.sqrt(sum));
    const high = Math.min(1, survival * factor);
    return { time, atRisk, events, survival, error: survival * Math.sqrt(sum), low: survival / factor, high };
  });
}

/** Mean time without the event up to `limit`: the area under the curve.
 * @param limit in the unit of the times
 * @throws DynnError `statistics/value` as `kaplanMeier`
 * @example restrictedMean({ time: [1, 2], event: [true, true] }, 2) // 1.5 */
export function restrictedMean(group: Times, limit: number): number {
  let [area, since, height] = [0, 0, 1];
  for (const { time, survival } of kaplanMeier(group)) {
    if (time >= limit) break;
    area += height * (time - since);
    [since, height] = [time, survival];
  }
  return area + height * (limit - since);
}

export interface LogRank {
  readonly chiSquared: number;
  /** Two-sided p value. */
  readonly p: number;
}

/** Tests whether two groups have the same curve.
 * @throws DynnError `statistics/value` as `kaplanMeier`
 * @returns p 1 where no event tells the groups apart */
export function logRank(first: Times, second: Times): LogRank {
  const [one, all] = [countsOf(first), countsOf(join(first, second))];
  let [excess, variance] = [0, 0];
  for (const { time, atRisk, events } of all) {
    const atRiskOne = one.find((step) => step.time >= time)?.atRisk ?? 0;
    const share = atRiskOne / atRisk;
    excess += (one.find((step) => step.time === time)?.events ?? 0) - events * share;
    if (atRisk > 1) variance += (events * share * (1 - share) * (atRisk - events)) / (atRisk - 1);
  }
  if (variance === 0) return { chiSquared: 0, p: 1 };
  const chiSquared = excess ** 2 / variance;
  return { chiSquared, p: chiSquaredTail(chiSquared, 1) };
}

const join = (a: Times, b: Times): Times => ({ time: [...a.time, ...b.time], event: [...a.event, ...b.event] });

interface Counts {
  readonly time: number;
  readonly atRisk: number;
  readonly events: number;
}

function countsOf({ time, event }: Times): Counts[] {
  requireValues("survival times", time, 1);
  requireEqual("survival times", time, event);
  return [...new Set(time)]
    .sort((a, b) => a - b)
    .map((at) => ({
      time: at,
      atRisk: time.filter((other) => other >= at).length,
      events: time.filter((other, i) => other === at && event[i]).length,
    }));
}
