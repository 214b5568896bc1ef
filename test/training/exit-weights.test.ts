import { describe, expect, test } from "vitest";
import { exitWeights } from "../../src/training/recipe/exit-weights.js";
import { failure } from "../support/failure.js";

/** ResNet-56 with its six exits (method.md section 2) and the final one. */
const COSTS = [0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1];

const expectWeights = (progress: number, want: readonly number[]): void =>
  exitWeights("ramp", COSTS, progress).forEach((w, k) => expect(w, `exit ${k}`).toBeCloseTo(want[k], 14));

describe("the ramp", () => {
  test("starts at 0.01 for every early exit", () => expectWeights(0, [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 1]));

  test("is half way between at half of the run", () => expectWeights(0.5, [0.08, 0.155, 0.23, 0.305, 0.38, 0.455, 1]));

  test("ends at each exit's cost fraction", () => expectWeights(1, COSTS));

  test("of a network with one exit is 1", () => expect(exitWeights("ramp", [1], 0.3)).toEqual([1]));
});

test("equal coefficients are 1, whatever the costs", () => {
  expect(exitWeights("equal", [0.2, 0.7, 1], 0.5)).toEqual([1, 1, 1]);
});

test("given coefficients are used as they are", () => {
  expect(exitWeights([0.5, 0, 2], [0.2, 0.7, 1], 0.5)).toEqual([0.5, 0, 2]);
});

test("given coefficients that are not one per exit are refused", () => {
  expect(() => exitWeights([1, 1], [0.2, 0.7, 1], 0)).toThrow(
    failure("training/config", "exit weights: got 2 numbers for 3 exits. Give one per exit, the final one included."),
  );
});
