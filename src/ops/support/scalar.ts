/** @file Functions of single numbers for several kernels, in forms without overflow and
 *  cancellation. */

/** 1 / (1 + exp(-x)) */
export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** log(1 + exp(x)) */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** log of the sum of exponentials of a line. */
export function logSumExp(line: Float64Array): number {
  const top = line.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(line.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

/** The smallest normal float32. Every norm is larger, except the norm of zeros. */
export const TINY = 2 ** -126;

/** The nearest integer. Halves round to the even integer. */
export const roundHalfEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
