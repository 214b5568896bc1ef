/** @file What a training run says of itself while it goes. */
import { describe, expect, it } from "vitest";
import { placeOf, stepLines } from "../../src/cli/train/output.js";
import type { StepReport } from "../../src/training/recipe/config.js";

const step = (totalStep: number, loss: number, accuracy: readonly number[]): StepReport => ({
  ...{ epoch: Math.floor((totalStep - 1) / 10), step: ((totalStep - 1) % 10) + 1, totalStep, loss, accuracy },
  ...{ stepsPerEpoch: 10, epochs: 4, learningRate: 0.1, images: 32 },
});

describe("the progress line of training", () => {
  it("says epoch, loss, accuracy of every exit and images a second, and counts the steps of the whole run", () => {
    let now = 5000;
    const lineOf = stepLines(() => now);
    expect(lineOf(step(11, 2, [0.1, 0.5]))).toEqual({
      ...{ phase: "training", name: "epoch 2/4", note: "  loss 2.000  10 50 %" },
      ...{ done: 11, total: 40, from: 10 },
    });
    now += 500;
    expect(lineOf(step(12, 1, [0.3, 0.7])).note).toBe("  loss 1.500  20 60 %  64 images/s");
  });

  it("forgets what lies more than fifty steps back", () => {
    let now = 0;
    const lineOf = stepLines(() => now);
    for (let i = 1; i <= 60; i++) {
      now += i <= 10 ? 9000 : 100;
      lineOf(step(i, i <= 10 ? 100 : 1, [0.5]));
    }
    now += 100;
    expect(lineOf(step(61, 1, [0.5])).note).toBe("  loss 1.000  50 %  320 images/s");
  });
});

it("a place in a run counts from one, as people do", () => {
  const state = { tensors: new Map(), sums: [], epochs: [] };
  expect(placeOf({ ...state, epoch: 2, step: 0 })).toBe("the end of epoch 2");
  expect(placeOf({ ...state, epoch: 2, step: 7 })).toBe("epoch 3, step 7");
});
