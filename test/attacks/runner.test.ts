import { describe, expect, test } from "vitest";
import type { Attack } from "../../src/attacks/attack.js";
import { NOTHING_SPENT } from "../../src/attacks/attack.js";
import type { Goal } from "../../src/attacks/goals/goal.js";
import type { Method, Task } from "../../src/attacks/methods/method.js";
import type { Asked, Evaluator } from "../../src/attacks/oracle/evaluator.js";
import type { Search } from "../../src/attacks/question.js";
import { runAttack } from "../../src/attacks/runner.js";
import type { Sample } from "../../src/attacks/sample.js";

/** An evaluator that answers at once and notes the size of each batch. */
function fakeEvaluator() {
  const sizes: number[] = [];
  const kinds: Set<string>[] = [];
  const evaluator = {
    workOf: () => ({ forward: 2, backward: 3 }),
    evaluate: async (asked: readonly Asked[]) => {
      sizes.push(asked.length);
      kinds.push(new Set(asked.map(({ question }) => `${question.loss.key}/${question.gradient}`)));
      return asked.map((r) => ({
        loss: r.sample.id,
        gradient: new Float32Array(1),
        logits: [Float32Array.of(0, 1)],
      }));
    },
  } as unknown as Evaluator;
  return { evaluator, sizes, kinds };
}

const goal: Goal = {
  name: "fake",
  losses: [{ key: "a", exits: [0], build: () => "" }],
  answer: 0,
  exits: [0],
  label: () => 0,
  starts: () => [0],
  succeeded: (s) => s.label === 9,
};

const methodOf = (search: (task: Task) => Search): Method => ({
  name: "pgd",
  access: "gradient",
  scope: "sample",
  retriesVanished: false,
  *start([task]) {
    return [yield* search(task)];
  },
});

/** Asks as many evaluations as the sample's id says. */
const asksItsId = methodOf(function* ({ sample, goal: { losses } }) {
  for (let i = 0; i < sample.id; i++) yield [{ image: sample.pixels, loss: losses[0], gradient: i % 2 === 0 }];
  return { image: Float32Array.of(sample.id), success: true };
});

const attack: Attack = {
  goal,
  withLoss: () => goal,
  method: asksItsId,
  budget: { norm: "linf", radius: 1 },
};
const samplesWith = (...ids: number[]): Sample[] =>
  ids.map((id) => ({ id, pixels: new Float32Array(1), label: 0, clean: [Float32Array.of(0, 1)] }));

/** Elements of arrays that iterators give out while `work` runs; spreading an array gives out each. */
async function elementsIterated(work: () => Promise<void>): Promise<number> {
  const original = Array.prototype[Symbol.iterator];
  let count = 0;
  Array.prototype[Symbol.iterator] = function (this: unknown[]) {
    count += this.length;
    return original.call(this);
  };
  try {
    await work();
  } finally {
    Array.prototype[Symbol.iterator] = original;
  }
  return count;
}

describe("the runner", () => {
  test("returns outcomes in the order of the samples, whichever lands first", async () => {
    const outcomes = await runAttack(attack, samplesWith(5, 0, 3, 1), {
      evaluator: fakeEvaluator().evaluator,
      seed: 0,
      batch: 2,
    });
    expect(outcomes.map((o) => o.image[0])).toEqual([5, 0, 3, 1]);
    expect(outcomes.map((o) => o.spent.gradients)).toEqual([3, 0, 2, 1]);
  });

  test("groups the samples in flight without copying a group for each of them", async () => {
    const many = 200;
    const copied = await elementsIterated(async () => {
      await runAttack(attack, samplesWith(...new Array<number>(many).fill(1)), {
        evaluator: fakeEvaluator().evaluator,
        seed: 0,
        batch: many,
      });
    });
    // One walk over the only group. A copy for each sample would walk over many * many / 2.
    expect(copied).toBeLessThan(10 * many);
  });

  test("fills the place of a finished sample with the next one", async () => {
    const { evaluator, sizes } = fakeEvaluator();
    const everyStep: Attack = {
      ...attack,
      method: methodOf(function* ({ sample, goal: { losses } }) {
        for (let i = 0; i < sample.id; i++) yield [{ image: sample.pixels, loss: losses[0], gradient: true }];
        return { image: sample.pixels, success: true };
      }),
    };
    await runAttack(everyStep, samplesWith(1, 6, 1, 1, 1, 1, 1), { evaluator, seed: 0, batch: 2 });
    expect(sizes).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test("never mixes losses, or gradients with none, in one evaluation", async () => {
    // The first sample lands after one evaluation, so that the next one is a step behind its
    // neighbour: one of them wants a gradient, and the other does not.
    const { evaluator, sizes, kinds } = fakeEvaluator();
    await runAttack(attack, samplesWith(1, 6, 5, 6, 3), { evaluator, seed: 0, batch: 2 });
    expect(kinds.every((k) => k.size === 1)).toBe(true);
    expect(sizes.slice(0, 3)).toContain(1);
  });

  test("leaves a sample alone that succeeds when clean, and says so", async () => {
    const [won] = samplesWith(3);
    const [outcome] = await runAttack(attack, [{ ...won, label: 9 }], {
      evaluator: fakeEvaluator().evaluator,
      seed: 0,
      batch: 4,
    });
    expect(outcome).toEqual({ image: won?.pixels, eligible: false, success: true, spent: NOTHING_SPENT });
  });

  test("attacks it all the same when the goal counts every sample", async () => {
    const [won] = samplesWith(3);
    const [outcome] = await runAttack(
      { ...attack, goal: { ...goal, everySampleEligible: true } },
      [{ ...won, label: 9 }],
      { evaluator: fakeEvaluator().evaluator, seed: 0, batch: 4 },
    );
    expect(outcome?.eligible).toBe(true);
    expect(outcome?.spent).toEqual({
      queries: 3,
      gradients: 2,
      forwardMacs: 6,
      backwardMacs: 9,
      macsToSuccess: 5,
      queriesToSuccess: 1,
    });
  });

  test("stops between two evaluations when aborted, with the signal's reason", async () => {
    const controller = new AbortController();
    const { evaluator, sizes } = fakeEvaluator();
    const slow = {
      workOf: () => ({ forward: 2, backward: 3 }),
      evaluate: async (...args: Parameters<Evaluator["evaluate"]>) => {
        if (sizes.length === 2) controller.abort(new Error("enough"));
        return evaluator.evaluate(...args);
      },
    } as unknown as Evaluator;
    await expect(
      runAttack(attack, samplesWith(50), { evaluator: slow, seed: 0, batch: 1, signal: controller.signal }),
    ).rejects.toThrow("enough");
    expect(sizes.length).toBe(3);
  });

  test("tells progress once per sample", async () => {
    const seen: number[] = [];
    await runAttack(attack, samplesWith(2, 0, 1), {
      evaluator: fakeEvaluator().evaluator,
      seed: 0,
      batch: 2,
      onProgress: (done) => seen.push(done),
    });
    expect(seen).toEqual([1, 2, 3]);
  });
});
