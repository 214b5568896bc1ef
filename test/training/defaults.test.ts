import { describe, expect, it } from "vitest";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import { RECIPES } from "../../src/schema/training.js";
import { trainingConfig } from "../../src/training/recipe/defaults.js";

const cifar = { architecture: "resnet20", side: 32 };

describe("the default configuration", () => {
  it("of joint is the authors' optimizer and augmentation on a one-cycle schedule", () => {
    expect(trainingConfig("joint", {}, cifar)).toEqual({
      recipe: "joint",
      epochs: 15,
      batch: 128,
      seed: 0,
      optimizer: { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
      decayAll: false,
      schedule: { kind: "one-cycle", peak: 0.1, warmup: 0.3, divisor: 25, finalDivisor: 1e4 },
      augment: { flip: true, crop: { pad: 4, mode: "reflect" }, cutout: undefined },
      exitWeights: "ramp",
      labelSmoothing: 0,
      clipNorm: undefined,
      ema: undefined,
      statisticsMomentum: 0.1,
      distill: undefined,
      adversarial: undefined,
    });
  });

  it("of ic-only is Adam at 1e-3 on plain images, all exits alike", () => {
    expect(trainingConfig("ic-only", {}, cifar)).toMatchObject({
      epochs: 10,
      optimizer: { kind: "adam", weightDecay: 0 },
      schedule: { kind: "cosine", peak: 1e-3 },
      augment: NO_AUGMENTATION,
      exitWeights: "equal",
    });
  });

  it("of a frozen backbone is the same whatever its heads learn from", () => {
    const { recipe: _, distill, ...rest } = trainingConfig("ic-distill", {}, cifar);
    expect(distill).toEqual({ temperature: 3, weight: 0.5 });
    expect({ ...rest, recipe: "ic-only", distill: undefined }).toEqual(trainingConfig("ic-only", {}, cifar));
  });

  it("decays the weights of VGG more", () => {
    expect(trainingConfig("static", {}, { architecture: "vgg16", side: 32 }).optimizer.weightDecay).toBe(5e-4);
  });

  it("scales the learning rate with the batch, unless it is given", () => {
    expect(trainingConfig("static", { batch: 64 }, cifar).schedule.peak).toBe(0.05);
    expect(trainingConfig("static", { batch: 64, peak: 0.2 }, cifar).schedule.peak).toBe(0.2);
  });

  it("has the settings of a recipe with that recipe alone", () => {
    for (const recipe of RECIPES) {
      const { distill, adversarial, gates } = trainingConfig(recipe, {}, cifar);
      expect([distill !== undefined, adversarial !== undefined, gates?.kind]).toEqual([
        recipe === "distill" || recipe === "ic-distill",
        recipe === "adversarial",
        { gates: "budget", skipnet: "budget", blockdrop: "budget", act: "ponder" }[recipe as string],
      ]);
    }
    expect(trainingConfig("adversarial", { adversarial: { steps: 3 } }, cifar).adversarial).toEqual({
      radius: 8 / 255,
      stepSize: 2 / 255,
      steps: 3,
      target: "final",
      weight: 0.5,
    });
  });

  it("of gates trains a network further, by half of the learning rate, with a budget of half the work", () => {
    const config = trainingConfig("gates", { gates: { target: 0.4, weight: undefined } }, cifar);
    expect(config).toMatchObject({
      epochs: 12,
      optimizer: { kind: "sgd", weightDecay: 5e-4 },
      schedule: { kind: "one-cycle", peak: 0.05 },
      gates: { kind: "budget", target: 0.4, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 },
    });
    expect(config.distill).toBeUndefined();
    expect(trainingConfig("gates", { distill: { weight: 0.3 } }, cifar).distill).toEqual({
      temperature: 3,
      weight: 0.3,
    });
    expect(trainingConfig("gates", { optimizer: "adam" }, cifar).schedule.peak).toBe(1e-3);
    expect(trainingConfig("act", { gates: { weight: 0.02 } }, cifar).gates).toEqual({ kind: "ponder", weight: 0.02 });
  });

  it("takes the learning rate and decay of another optimizer", () => {
    expect(trainingConfig("static", { optimizer: "adamw" }, cifar)).toMatchObject({
      optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
      schedule: { kind: "one-cycle", peak: 1e-3 },
    });
  });
});

describe("choices that a recipe does not use", () => {
  it.each([
    ["joint", { distill: { temperature: 2 } }, "distill", "settings of distillation (temperature)"],
    ["distill", { adversarial: { steps: 2 } }, "adversarial", "settings of adversarial training (steps)"],
    ["static", { exitWeights: "equal" }, "joint", "weights of early exits (exitWeights)"],
    ["act", { distill: { weight: 0.5 } }, "distill", "settings of distillation (weight)"],
    ["joint", { gates: { target: 0.5 } }, "gates", "settings of gates (target)"],
    ["act", { gates: { target: 0.5, weight: 1 } }, "gates", "a budget (target)"],
  ] as const)("are refused: %s with %o", (recipe, choices, other, what) => {
    expect(() => trainingConfig(recipe, choices, cifar)).toThrow(
      `recipe ${recipe}: got ${what}, which it does not use. Leave them out, or use the recipe ${other}. [training/config]`,
    );
  });

  it("count only when they are there", () => {
    expect(() => trainingConfig("joint", { distill: { temperature: undefined } }, cifar)).not.toThrow();
  });
});

it.each([{ target: 1.5 }, { target: -0.1 }, { quiet: 2 }, { floor: -1 }, { relax: Number.NaN }])(
  "a share outside [0,1] is refused: %o",
  (gates) => {
    expect(() => trainingConfig("gates", { gates }, cifar)).toThrow(
      /expected a share from 0 to 1.*\[training\/config\]$/,
    );
  },
);

it.each([{ radius: 8 }, { radius: -1 / 255 }, { stepSize: 2 }, { radius: Number.NaN }])(
  "a length outside [0,1] is refused: %o",
  (adversarial) => {
    expect(() => trainingConfig("adversarial", { adversarial }, cifar)).toThrow(
      /expected 0 to 1.*\[training\/config\]$/,
    );
  },
);
