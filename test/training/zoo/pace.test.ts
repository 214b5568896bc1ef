/** @file The pace of a training follows from that of another network of the same architecture. */
import { describe, expect, test } from "vitest";
import { hoursOf, scaledPace } from "../../../src/training/zoo/pace.js";

describe("the pace of another network", () => {
  test("is smaller by its MACs where the whole network trains", () => {
    const pace = scaledPace({ steps: 300, features: undefined }, { macs: 10, heads: 0 }, { macs: 30, heads: 4 });
    expect(pace).toEqual({ steps: 100, features: undefined });
    // 2 epochs of 36,000 images at 100 images per second.
    expect(hoursOf(pace, 36_000, 2)).toBeCloseTo(0.2, 12);
  });

  test("on a frozen backbone is smaller by the number of heads, and features by MACs", () => {
    const pace = scaledPace({ steps: 300, features: 40 }, { macs: 10, heads: 2 }, { macs: 20, heads: 6 });
    expect(pace).toEqual({ steps: 100, features: 20 });
    expect(hoursOf(pace, 36_000, 2)).toBeCloseTo(0.2 + 0.5, 12);
  });

  test("is the same for a network of the same size", () => {
    const size = { macs: 7, heads: 3 };
    expect(scaledPace({ steps: 5, features: 6 }, size, size)).toEqual({ steps: 5, features: 6 });
  });
});
