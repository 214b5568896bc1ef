/** @file The best pair of a saliency map against a search over all pairs. */
import { expect, test } from "vitest";
import { bestPair } from "../../src/attacks/methods/saliency.js";
import { normal } from "../../src/core/rng.js";

const drawn = (sample: number, step: number, n: number): Float32Array =>
  Float32Array.from(normal({ seed: 5, sample, purpose: "test", step }, n));

/** The largest product of the two sums over all pairs. */
function largest(a: Float32Array, b: Float32Array, open: readonly number[]): number {
  let most = 0;
  for (const p of open)
    for (const q of open)
      if (p < q && a[p] + a[q] > 0 && b[p] + b[q] < 0) most = Math.max(most, (a[p] + a[q]) * -(b[p] + b[q]));
  return most;
}

test.each([2, 3, 10, 60])("is the best of all pairs of %i values", (n) => {
  for (let trial = 0; trial < 40; trial++) {
    const [a, b] = [drawn(trial, n, n), drawn(trial, 100 + n, n)];
    const open = Array.from(a, (_, i) => i).filter((i) => n < 10 || i % 3 !== 1);
    const [most, pair] = [largest(a, b, open), bestPair(a, b, open)];
    if (most === 0) expect(pair).toBeUndefined();
    else {
      const [p, q] = pair as readonly [number, number];
      expect(p).not.toBe(q);
      expect(open).toContain(p);
      expect(open).toContain(q);
      expect((a[p] + a[q]) * -(b[p] + b[q])).toBeCloseTo(most, 5);
    }
  }
});
