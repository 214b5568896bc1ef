/** @file McNemar's exact test of a difference between two classifiers on the same samples. The test
 *  uses only samples that exactly one classifier answers right. Without a difference, each
 *  classifier has half of them on average. Source: McNemar, Psychometrika 12, 1947; exact binomial
 *  form as in Fay, The R Journal 2(1), 2010. */

/** Two-sided exact p value: twice the smaller binomial(n, 1/2) tail, at most 1.
 * @param onlyA number of samples that A alone answers right
 * @param onlyB number of samples that B alone answers right */
export function mcnemarExact(onlyA: number, onlyB: number): number {
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
  return Math.min(1, 2 * tail * Math.exp(logChoose(n, fewer) - n * Math.LN2));
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
