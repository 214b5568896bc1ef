/** @file Early stopping: when a run ends, which weights it keeps, and that a break changes nothing. */
import { describe, expect, it } from "vitest";
import { thresholdShare } from "../../src/data/training-split.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { EpochReport } from "../../src/schema/training.js";
import { conversionConfig, convert, recipeFor } from "../../src/training/convert/convert.js";
import { planConversion } from "../../src/training/convert/plan.js";
import { bestEpoch, isStopped } from "../../src/training/run/stopping.js";
import { train } from "../../src/training/run/trainer.js";
import type { TrainingState } from "../../src/training/step/state.js";
import { backbone, bytesOf, CLASSES, patterns } from "../support/training.js";

/** Epochs by the loss and the accuracy of their early exits; the final exit does not change. */
const reports = (...epochs: readonly (readonly [loss: number, accuracy: number])[]) =>
  epochs.map(([loss, accuracy]) => ({
    validationLosses: [loss, loss, 9],
    validationAccuracy: [accuracy, accuracy, 0.9],
  })) as unknown as EpochReport[];

describe("a run stops", () => {
  it.each<[string, readonly (readonly [number, number])[], number, boolean]>([
    [
      "not while accuracy rises",
      [
        [1, 0.2],
        [2, 0.3],
        [3, 0.4],
      ],
      2,
      false,
    ],
    [
      "not while the loss falls",
      [
        [3, 0.4],
        [2, 0.3],
        [1, 0.3],
      ],
      0,
      false,
    ],
    [
      "where neither improves",
      [
        [1, 0.4],
        [2, 0.3],
        [3, 0.4],
      ],
      0,
      true,
    ],
    [
      "not before its patience ends",
      [
        [1, 0.4],
        [2, 0.3],
      ],
      0,
      false,
    ],
    [
      "after the best of equals, which has the smaller loss",
      [
        [3, 0.4],
        [2, 0.4],
        [2.5, 0.4],
        [2, 0.4],
      ],
      1,
      true,
    ],
  ])("%s", (_, epochs, best, stopped) => {
    expect(bestEpoch(reports(...epochs))).toBe(best);
    expect(isStopped({ patience: 2 }, reports(...epochs))).toBe(stopped);
    expect(isStopped(undefined, reports(...epochs))).toBe(false);
  });
});

/** Labels of the validation records that no head can learn: training makes their loss larger. */
const shuffled = (() => {
  const data = patterns(60, { seed: 2 });
  return { ...data, labels: data.labels.map((label, i) => (i % 2 === 0 ? label : (label + 1) % CLASSES)) };
})();

describe("a run that stops early", () => {
  const { model } = planConversion({ graph: backbone(), metadata: new Map() }, patterns(60), {
    exits: { kind: "values", values: ["hidden"] },
  });
  const config = {
    ...conversionConfig("ic-only", { epochs: 40, batch: 20, peak: 0.1 }, { name: "net", train: patterns(60) }),
    stop: { patience: 2 },
  };
  const request = { model, train: patterns(60), validation: shuffled, config, backend: ortNode({ threads: 1 }) };

  it("keeps the weights of its best epoch, and ends at the same bytes after a break", async () => {
    const states: TrainingState[] = [];
    const save = async (state: TrainingState) => void states.push(state);
    const whole = await train({ ...request, checkpoint: { everySeconds: 1000, save } });
    const best = bestEpoch(whole.epochs);
    expect(isStopped(config.stop, whole.epochs)).toBe(true);
    expect(isStopped(config.stop, whole.epochs.slice(0, -1))).toBe(false);
    expect([whole.epochs.length < 40, best < whole.epochs.length - 1]).toEqual([true, true]);
    const atBest = states[best]?.tensors.get("exit0.weight");
    expect(bytesOf(new Map([["w", atBest as NonNullable<typeof atBest>]])).w).toBe(
      bytesOf(whole.graph.initializers)["exit0.weight"],
    );
    for (const resume of [states[0], states[best], states.at(-1)]) {
      const again = await train({ ...request, resume });
      expect(bytesOf(again.graph.initializers)).toEqual(bytesOf(whole.graph.initializers));
      expect(again.epochs.map(({ validationLosses }) => validationLosses)).toEqual(
        whole.epochs.map(({ validationLosses }) => validationLosses),
      );
    }
  });

  it("measures validation on kept features as on images", async () => {
    const kept = await train({ ...request, config: { ...config, epochs: 2 } });
    const anew = await train({ ...request, config: { ...config, epochs: 2 }, featureMemory: 0 });
    for (const [i, { validationLosses, validationAccuracy }] of kept.epochs.entries()) {
      expect(validationAccuracy).toEqual(anew.epochs[i]?.validationAccuracy);
      validationLosses.forEach((loss, k) => {
        expect(loss).toBeCloseTo(anew.epochs[i]?.validationLosses[k] ?? Number.NaN, 5);
      });
    }
  });
});

describe("the length of a conversion", () => {
  const of = (count: number, choices = {}) => {
    const data = { ...patterns(20), count };
    return conversionConfig("distill", choices, { name: "net", train: data });
  };
  const stepsOf = ({ epochs, batch }: { readonly epochs: number; readonly batch: number }, count: number) =>
    epochs * Math.floor(count / batch);

  it.each([
    [54, 16],
    [378, 32],
    [900, 64],
    [45_000, 128],
    [1_200_000, 128],
  ])("on %i records has batch %i, and steps enough", (count, batch) => {
    const config = of(count);
    expect(config.batch).toBe(batch);
    const steps = stepsOf(config, count);
    expect(steps).toBeGreaterThanOrEqual(1000);
    expect(steps).toBeLessThan(10_000 + Math.floor(count / batch));
    expect(config.schedule).toMatchObject({ peak: 0.001 });
  });

  it("is ten passes where these are enough, and what the call says", () => {
    expect(of(45_000).epochs).toBe(10);
    expect(stepsOf(of(378, { steps: 50 }), 378)).toBe(55);
    expect(of(378, { epochs: 3 }).epochs).toBe(3);
    expect(() => of(378, { epochs: 3, steps: 50 })).toThrow(/both give the length of the run/);
  });

  it("stops after a quarter of it without a better pass", () => {
    expect(of(378).stop?.patience).toBe(Math.ceil(of(378).epochs / 4));
  });

  it("learns from the final exit where records are few", () => {
    expect([recipeFor({ count: 4999 }), recipeFor({ count: 5000 })]).toEqual(["distill", "ic-only"]);
  });

  it.each([
    [100, 50],
    [167, 50],
    [300, 90],
    [540, 162],
    [1000, 200],
    [50_000, 5000],
  ])("of %i records, %i choose thresholds", (count, validation) => {
    expect(Math.round(count * thresholdShare(count))).toBe(validation);
  });

  it("convert is a promise that the default of each option can be left out", async () => {
    const { policy, held } = await convert(
      { graph: backbone(), metadata: new Map() } as unknown as Parameters<typeof convert>[0],
      { train: patterns(60), validation: patterns(60, { seed: 2 }), steps: 20, backend: ortNode({ threads: 1 }) },
    );
    expect(policy?.rule).toBe("max-softmax");
    expect(held?.count).toBe(60);
  });
});
