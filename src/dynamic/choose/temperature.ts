/** @file Temperature scaling: divides the logits of an exit by one number, so that its confidences
 *  match its accuracy. The label never changes. The mean negative log-likelihood is convex in 1/T,
 *  so its derivative has at most one root. Source: Guo et al. 2017, "On calibration of modern
 *  neural networks", section 4.2. */
import type { Measured } from "./readings.js";

/** Temperatures stay in this range. Exits that are always right, or worse than chance, have no
 * minimum inside the range. */
export const TEMPERATURE_RANGE = [0.01, 100] as const;

const MOST_STEPS = 200;
/** Relative accuracy of the result. */
const PRECISION = 1e-10;

/** The temperature of one exit that gives the smallest mean negative log-likelihood on labelled
 * samples. Samples with a NaN or infinite logit do not count.
 * @param exit number of the exit
 * @returns a number in {@link TEMPERATURE_RANGE}. 1 without samples */
export function fitTemperature({ logits, labels }: Measured, exit: number): number {
  const rows = Array.from(labels, (_, i) => logits.row(exit, i));
  const samples = rows.flatMap((row, i) =>
    row.every(Number.isFinite) && spread(row) > 0 ? [{ row, label: labels[i] }] : [],
  );
  if (samples.length === 0) return 1;
  const slopes = (beta: number): Slopes => nllSlopes(samples, beta);
  const [least, most] = TEMPERATURE_RANGE;
  return 1 / root(slopes, 1 / most, 1 / least);
}

interface Sample {
  readonly row: Float32Array;
  readonly label: number;
}

/** First and second derivative. */
type Slopes = readonly [first: number, second: number];

const spread = (row: Float32Array): number => Math.max(...row) - Math.min(...row);

/** Newton's method within a bracket that shrinks. When a step leaves the bracket, or the curvature
 * is 0, the bracket is halved instead. When the derivative has no root in the bracket, the result
 * is one of its ends. */
function root(slopes: (at: number) => Slopes, low: number, high: number): number {
  if (slopes(low)[0] >= 0) return low;
  if (slopes(high)[0] <= 0) return high;
  let [from, to, at] = [low, high, Math.min(Math.max(1, low), high)];
  for (let step = 0; step < MOST_STEPS; step++) {
    const [first, second] = slopes(at);
    if (first === 0) return at;
    if (first < 0) from = at;
    else to = at;
    const newton = at - first / second;
    const next = newton > from && newton < to ? newton : (from + to) / 2;
    if (Math.abs(next - at) <= PRECISION * at) return next;
    at = next;
  }
  return at;
}

/** Derivatives of the mean of log(sum exp(beta z)) - beta z[label]. The first is the expected logit
 * minus the label's logit. The second is the variance of the logit. */
function nllSlopes(samples: readonly Sample[], beta: number): Slopes {
  let [first, second] = [0, 0];
  for (const { row, label } of samples) {
    const top = Math.max(...row);
    let [weights, sum, squares] = [0, 0, 0];
    for (const z of row) {
      const weight = Math.exp(beta * (z - top));
      weights += weight;
      sum += weight * (z - top);
      squares += weight * (z - top) ** 2;
    }
    const mean = sum / weights;
    first += mean - (row[label] - top);
    second += squares / weights - mean ** 2;
  }
  return [first / samples.length, second / samples.length];
}
