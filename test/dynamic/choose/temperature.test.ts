import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import { fitTemperature, TEMPERATURE_RANGE } from "../../../src/dynamic/choose/temperature.js";

/** Mean negative log-likelihood, written down as it is defined. */
function nll(logits: Float32Array, labels: readonly number[], classes: number, temperature: number): number {
  const losses = labels.map((label, i) => {
    const z = Array.from(logits.subarray(i * classes, (i + 1) * classes), (v) => v / temperature);
    const top = Math.max(...z);
    return top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) - z[label];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** The temperature of the only exit. */
const fitted = (logits: Float32Array, labels: readonly number[], classes: number): number =>
  fitTemperature({ logits: new Logits([logits], classes), labels }, 0);

describe("a temperature", () => {
  test.each([
    [3, 0.75],
    [0.25, 0.9],
    [8, 0.6],
  ])(
    "is the closed form where one logit leads by %d and %d of the labels agree: a / log(q / (1 - q))",
    (lead, right) => {
      const n = 200;
      const logits = Float32Array.from({ length: 2 * n }, (_, at) => (at % 2 === 0 ? lead : 0));
      const labels = Array.from({ length: n }, (_, i) => (i < right * n ? 0 : 1));
      expect(fitted(logits, labels, 2)).toBeCloseTo(lead / Math.log(right / (1 - right)), 7);
    },
  );

  test("undoes the one that logits of honest probabilities were divided by", () => {
    // 10 samples whose class frequencies are exactly their probabilities 0.5, 0.3, 0.2.
    const honest = [0.5, 0.3, 0.2].map(Math.log);
    const labels = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2];
    for (const factor of [0.2, 1, 5]) {
      const logits = Float32Array.from(labels.flatMap(() => honest.map((z) => z * factor)));
      expect(fitted(logits, labels, 3)).toBeCloseTo(factor, 5);
    }
  });

  test("has a likelihood that no other temperature of a fine grid beats", () => {
    const data = fc.integer({ min: 1, max: 12 }).chain((n) =>
      fc.record({
        labels: fc.array(fc.nat(3), { minLength: n, maxLength: n }),
        logits: fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 4 * n, maxLength: 4 * n }),
      }),
    );
    fc.assert(
      fc.property(data, ({ labels, logits }) => {
        const values = Float32Array.from(logits, (v) => v / 4);
        const least = nll(values, labels, 4, fitted(values, labels, 4));
        for (let t: number = TEMPERATURE_RANGE[0]; t <= TEMPERATURE_RANGE[1]; t *= 1.05)
          expect(nll(values, labels, 4, t)).toBeGreaterThanOrEqual(least - 1e-9);
      }),
    );
  });

  test("stays in its range where there is no minimum, and leaves alone what tells nothing", () => {
    const [least, most] = TEMPERATURE_RANGE;
    const sure = Float32Array.of(2, 0, 0, 2);
    expect(fitted(sure, [0, 1], 2)).toBeCloseTo(least, 12);
    expect(fitted(sure, [1, 0], 2)).toBeCloseTo(most, 12);
    expect(fitted(new Float32Array(4), [0, 1], 2)).toBe(1);
    expect(fitted(new Float32Array(0), [], 2)).toBe(1);
    expect(fitted(Float32Array.of(Number.NaN, 0), [0], 2)).toBe(1);
  });
});
