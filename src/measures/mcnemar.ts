/** @file McNemar's exact test: do two classifiers, judged on the same samples, differ?
 *  Only samples that exactly one of them gets right tell anything; with no difference they split like fair coins.
 *  Source: McNemar, Psychometrika 12, 1947; exact binomial form as in Fay, The R Journal 2(1), 2010. */

/** Two-sided exact p value: twice the smaller binomial(n, 1/2) tail, at most 1.
 * @param onlyA samples that A alone gets right
 * @param onlyB samples that B alone gets right */
export function mcnemarExact(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB;
  const fewer = Math.min(onlyA, onlyB);
  // Sum downwards from the largest term, C(n, fewer) / 2^n, taken in logarithms so that large n cannot underflow early.
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
