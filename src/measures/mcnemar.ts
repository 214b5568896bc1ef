/** @file McNemar's tests of a difference between two classifiers on the same samples. They use only
 *  samples that exactly one classifier answers right. Without a difference, each classifier has
 *  half of them on average. Sources: McNemar, Psychometrika 12, 1947; exact binomial form as in
 *  Fay, The R Journal 2(1), 2010; mid-p: Fagerland et al., BMC Medical Research Methodology 13,
 *  2013. */

/** Two-sided exact p value: twice the smaller binomial(n, 1/2) tail, at most 1.
 * @param onlyA number of samples that A alone answers right
 * @param onlyB number of samples that B alone answers right
 * @example mcnemarExact(5, 0) // 0.0625 */
export const mcnemarExact = (onlyA: number, onlyB: number): number => Math.min(1, 2 * halfTail(onlyA, onlyB).tail);

/** Two-sided mid-p value: the exact p value, in which the observed split counts half. It rejects
 * too often by little, and the exact one too seldom by more.
 * @param onlyA number of samples that A alone answers right
 * @param onlyB number of samples that B alone answers right
 * @example mcnemarMidP(5, 0) // 0.03125 */
export function mcnemarMidP(onlyA: number, onlyB: number): number {
  const { tail, observed } = halfTail(onlyA, onlyB);
  // An even split is its own mirror image, so the doubled tail holds it once too often.
  return onlyA === onlyB ? 1 - observed / 2 : 2 * tail - observed;
}

/** P(X <= fewer) and P(X = fewer) of a binomial(n, 1/2) X. */
function halfTail(onlyA: number, onlyB: number): { tail: number; observed: number } {
  const n = onlyA + onlyB;
  const fewer = Math.min(onlyA, onlyB);
  // Sums downwards from the largest term, C(n, fewer) / 2^n. It is computed with logarithms, so
  // that a large n does not underflow early.
  let term = 1;
  let tail = 0;
  for (let k = fewer; k >= 0 && term > 0; k--) {
    tail += term;
    term *= k / (n - k + 1);
  }
  const observed = Math.exp(logChoose(n, fewer) - n * Math.LN2);
  return { tail: tail * observed, observed };
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
