/** @file The error function in float64, exact to about 1e-15. Source: Abramowitz & Stegun 1964,
 *  7.1.6 (series of positive terms) and 7.1.14 (continued fraction of erfc). */

/** From this x on the continued fraction is faster than the series. */
const FAR = 3;
const FRACTION_TERMS = 60;

/** 2/sqrt(pi) * integral of exp(-t^2) from 0 to x. */
export function erf(x: number): number {
  const size = Math.abs(x);
  return Math.sign(x) * (size < FAR ? series(size) : 1 - tail(size));
}

/** erf(x) = 2/sqrt(pi) * exp(-x^2) * sum over n of 2^n x^(2n+1) / (2n+1)!! */
function series(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) = exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + (2/2) / (x + (3/2) / ...))) */
function tail(x: number): number {
  let below = x;
  for (let k = FRACTION_TERMS; k > 0; k--) below = x + k / 2 / below;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
}
