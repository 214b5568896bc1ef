/** @file Distribution functions and quantiles of the normal, Student's t, chi-squared and beta
 *  distributions. All follow from the incomplete beta and gamma functions. Formulas: Abramowitz
 *  and Stegun, Handbook of Mathematical Functions, 1964, 26.2.29, 26.4.19 and 26.7.1. */
import { rootOf } from "./root.js";
import { incompleteBeta, upperGamma } from "./special.js";

/** Keeps the last answer of a function. A quantile costs 60 evaluations, and tests of many blocks
 * ask for the same one each time. */
function keepsLast(answer: (p: number, df: number) => number): (p: number, df: number) => number {
  let [lastP, lastDf, last] = [Number.NaN, Number.NaN, Number.NaN];
  return (p, df) => {
    if (p !== lastP || df !== lastDf) [lastP, lastDf, last] = [p, df, answer(p, df)];
    return last;
  };
}

/** P(Z <= z) of a standard normal Z.
 * @example normalCdf(1.96) // 0.9750021 */
export const normalCdf = (z: number): number => (z < 0 ? normalTail(-z) : 1 - normalTail(z));

/** P(Z >= z), exact in relative terms for z >= 0. */
export const normalTail = (z: number): number => (z < 0 ? 1 - normalTail(-z) : 0.5 * upperGamma(0.5, (z * z) / 2));

/** The z with P(Z <= z) = p.
 * @param p between 0 and 1. The ends give -Infinity and Infinity
 * @example normalQuantile(0.975) // 1.9599640 */
export function normalQuantile(p: number): number {
  if (p <= 0 || p >= 1) return p <= 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  return lowerNormal(p, 1);
}

const lowerNormal = keepsLast((p) => -rootOf((z) => normalTail(z) - p, 0, 40));

/** P(T >= t) of Student's t.
 * @param df degrees of freedom, above 0
 * @example tTail(2.0, 10) // 0.03669401738537019 */
export function tTail(t: number, df: number): number {
  if (t < 0) return 1 - tTail(-t, df);
  const square = t * t;
  if (square === Infinity) return 0;
  return 0.5 * incompleteBeta(df / 2, 0.5, df / (df + square), square / (df + square));
}

/** The t with P(T <= t) = p.
 * @param p between 0 and 1. The ends give -Infinity and Infinity
 * @param df degrees of freedom, above 0
 * @example tQuantile(0.975, 10) // 2.2281388519649385 */
export function tQuantile(p: number, df: number): number {
  if (p <= 0 || p >= 1) return p <= 0 ? -Infinity : Infinity;
  if (p < 0.5) return -tQuantile(1 - p, df);
  return upperT(p, df);
}

const upperT = keepsLast((p, df) => {
  const tail = 1 - p;
  let high = 1;
  while (tTail(high, df) > tail) high *= 2;
  return rootOf((t) => tTail(t, df) - tail, 0, high);
});

/** P(X >= x) of a chi-squared X.
 * @param df degrees of freedom, above 0
 * @example chiSquaredTail(3.841458820694124, 1) // 0.05 */
export const chiSquaredTail = (x: number, df: number): number => upperGamma(df / 2, x / 2);

/** The x with I_x(a, b) = p.
 * @param p from 0 to 1
 * @example betaQuantile(0.5, 2, 2) // 0.5 */
export const betaQuantile = (p: number, a: number, b: number): number =>
  p <= 0 ? 0 : p >= 1 ? 1 : rootOf((x) => incompleteBeta(a, b, x) - p, 0, 1);
