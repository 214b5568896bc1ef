/** @file How much rounds differ, and what that means. */
import { expect, test } from "vitest";
import { roundSpreadOf, steadinessOf } from "../../src/schema/steadiness.js";

test.each([
  [[], undefined],
  [[5], undefined],
  [[0, 1], undefined],
  [[2, 3], 1.5],
  [[4, 2, 3, 2, 2], 2],
  // Of ten rounds the slowest and the fastest do not count.
  [[1, 2, 2, 2, 2, 2, 2, 2, 3, 90], 3],
])("rounds %j differ by %s", (times, expected) => {
  expect(roundSpreadOf(times)).toBe(expected);
});

test("more than 1.5 is not to be trusted", () => {
  expect([1, 1.5, 1.51, undefined].map((spread) => steadinessOf(spread)?.trusted)).toEqual([
    true,
    true,
    false,
    undefined,
  ]);
});
