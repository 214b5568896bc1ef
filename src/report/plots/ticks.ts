/** @file Places of ticks on a logarithmic axis. */

const STEPS = [
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
] as const;
const FEWEST = 3;

/** Round numbers from `low` to `high`: the coarsest of three steps that gives at least three.
 * @param low above 0 */
export function logTicks(low: number, high: number): number[] {
  const found = STEPS.map((steps) => within(steps, low, high));
  return found.find((ticks) => ticks.length >= FEWEST) ?? found[found.length - 1];
}

function within(steps: readonly number[], low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const all = decades.flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)));
  return all.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
}
