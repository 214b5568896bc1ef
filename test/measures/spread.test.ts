/** @file The spread over seeds, beside values of SciPy (stats.t.interval). */
import { expect, test } from "vitest";
import { spreadOver } from "../../src/measures/spread.js";

test("mean, deviation and interval are SciPy's", () => {
  const five = spreadOver([0.412, 0.398, 0.405, 0.421, 0.399], [0, 1]);
  expect(five.mean).toBeCloseTo(0.407, 12);
  expect(five.deviation).toBeCloseTo(0.009617692030835654, 12);
  expect([five.low, five.high]).toEqual([
    expect.closeTo(0.3950580580595001, 8),
    expect.closeTo(0.41894194194049994, 8),
  ]);
  const three = spreadOver([0.2, 0.3, 0.4], [0, 1]);
  expect([three.low, three.high]).toEqual([
    expect.closeTo(0.05158622881562472, 8),
    expect.closeTo(0.5484137711843753, 8),
  ]);
});

test("the interval stays within the possible values", () => {
  const { low, high } = spreadOver([0, 0.01], [0, 1]);
  expect(low).toBe(0);
  expect(high).toBeCloseTo(0.06853102368216048, 8);
  expect(spreadOver([0.5, 1], [0, 1]).high).toBe(1);
});

test("equal values have no deviation and an interval of no length", () => {
  expect(spreadOver([0.1, 0.1, 0.1], [0, 1])).toEqual({
    ...{ mean: 0.1, deviation: 0, low: 0.1, high: 0.1 },
    values: [0.1, 0.1, 0.1],
  });
});
