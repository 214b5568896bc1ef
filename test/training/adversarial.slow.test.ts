/** Training on clean and attacked images together. */
import { describe, expect, test } from "vitest";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import { prune } from "../../src/graph/passes/prune.js";
import type { AdversarialConfig, StepReport } from "../../src/training/recipe/config.js";
import { train } from "../../src/training/run/trainer.js";
import { bytesOf, earlyExits, request, trainable } from "../support/training.js";

const PGD: AdversarialConfig = { radius: 0.1, stepSize: 0.03, steps: 6, target: "final", weight: 0.5 };

describe("adversarial training", () => {
  const adversarial = { ...PGD, steps: 2 };

  test("is a function of its request, and a resumed run ends in the same bytes", async () => {
    const r = request({ recipe: "adversarial", adversarial });
    const saved: Parameters<NonNullable<typeof r.checkpoint>["save"]>[0][] = [];
    const whole = await train({ ...r, checkpoint: { everySeconds: 0, save: async (state) => void saved.push(state) } });
    const { state } = await train({ ...r, resume: saved[6] });
    expect(bytesOf(state.tensors)).toEqual(bytesOf(whole.state.tensors));
  });

  test("tells the clean half's losses and accuracies, and descends a mix of both halves", async () => {
    const first = async (weight: number, radius: number): Promise<StepReport> => {
      const reports: StepReport[] = [];
      const adversarial = { ...PGD, steps: 2, radius, weight };
      await train(request({ recipe: "adversarial", epochs: 1, adversarial }, { onStep: (s) => void reports.push(s) }));
      return reports[0];
    };
    const [clean, half, hard] = [await first(0.25, 0.1), await first(0.5, 0.1), await first(0.75, 0.1)];
    expect(half.loss).toBeCloseTo((clean.loss + hard.loss) / 2, 5);
    expect(hard.loss).toBeGreaterThan(clean.loss);
    expect([half.accuracy, hard.accuracy]).toEqual([clean.accuracy, clean.accuracy]);
  });

  test("without room to move, both halves are the same images: the step is that of the clean batch", async () => {
    const sgd = {
      optimizer: { kind: "sgd", momentum: 0, nesterov: false, weightDecay: 0 } as const,
      epochs: 1,
      batch: 40,
    };
    const still = { ...PGD, radius: 0, steps: 1 };
    const [plain, both] = [
      await train(request(sgd)),
      await train(request({ ...sgd, recipe: "adversarial", adversarial: still })),
    ];
    for (const [name, t] of plain.state.tensors) {
      // The unbiased variance of 2n numbers is not that of n: running variances differ a little.
      if (name.endsWith("running_var")) continue;
      const got = toNumbers(both.state.tensors.get(name) as Tensor);
      const worst = toNumbers(t).reduce((m, v, i) => Math.max(m, Math.abs(v - got[i])), 0);
      expect(worst, name).toBeLessThan(2e-6);
    }
  });

  test("a share of 1 leaves clean images out: without room to move, every state is that of plain training", async () => {
    const alone = { ...PGD, steps: 1, weight: 1 };
    const plain = await train(request({ epochs: 1 }));
    const still = await train(request({ recipe: "adversarial", epochs: 1, adversarial: { ...alone, radius: 0 } }));
    const moved = await train(request({ recipe: "adversarial", epochs: 1, adversarial: alone }));
    expect(bytesOf(still.state.tensors)).toEqual(bytesOf(plain.state.tensors));
    expect(moved.epochs[0]?.loss).toBeGreaterThan(Number(plain.epochs[0]?.loss));
  });

  test("takes a network with one exit", async () => {
    const graph = earlyExits();
    const one = trainable(prune({ ...graph, outputs: graph.outputs.slice(-1) }));
    const result = await train(request({ recipe: "adversarial", epochs: 1, adversarial }, { model: one }));
    expect(result.epochs[0]?.exitLosses).toHaveLength(1);
  });
});
