import { describe, expect, test } from "vitest";
import { type AttackConfig, configureAttack, parseAttackFile } from "../../src/attacks/config.js";
import { currentName, OLD_NAMES } from "../../src/attacks/names.js";
import { PRESET_NAMES, presetConfigs, usable } from "../../src/attacks/presets.js";
import { linearModel, smallExits, victimOf } from "../support/models.js";

const victim = victimOf(smallExits(), 0.6);
const configure = (config: Partial<AttackConfig>) =>
  configureAttack({ name: "t", objective: "misclassify:final", ...config }, victim);

describe("an attack of a file", () => {
  test("gets PGD's defaults: 20 steps of 2.5 radii over the steps, from the image, once", () => {
    const attack = configure({ radius: "8/255" });
    expect(attack.optimizer.name).toBe("pgd");
    expect(attack.budget).toEqual({ norm: "linf", radius: 8 / 255 });
    expect(attack.parameters).toEqual({
      loss: "cross-entropy",
      steps: 20,
      stepSize: (2.5 * (8 / 255)) / 20,
      randomStart: false,
      restarts: 1,
    });
  });

  test("reads fractions as strings and numbers alike", () => {
    expect(configure({ radius: "1/255", stepSize: "0.25/255" }).parameters.stepSize).toBeCloseTo(0.25 / 255, 12);
    expect(configure({ radius: 0.25, norm: "l2", stepSize: 0.05 }).budget).toEqual({ norm: "l2", radius: 0.25 });
  });

  test("takes the random start anywhere in the ball, or within a stated distance", () => {
    expect(configure({ radius: "8/255", randomStart: true }).parameters.randomStart).toBe(true);
    expect(configure({ radius: "8/255", randomStart: "0.002" }).parameters.randomStart).toBe(0.002);
  });

  test("gets the published loop with early:published", () => {
    const attack = configure({ objective: "early:published" });
    expect(attack.optimizer.name).toBe("adam-tanh");
    expect(attack.budget).toEqual({ norm: "l2", radius: undefined });
    expect(attack.parameters).toEqual({
      alpha: 0.1,
      steps: 1000,
      stepSize: 0.01,
      randomStart: true,
      checkFrom: 200,
      stopAtSuccess: true,
      restarts: 1,
    });
  });

  test("takes the fields that every optimizer has, as numbers or as strings", () => {
    const common = { steps: 1, stepSize: "1/255", randomStart: false, restarts: 1 } as const;
    expect(configure({ optimizer: "fgsm", radius: "1/255", ...common }).parameters.stepSize).toBeCloseTo(1 / 255, 12);
    const [parsed] = parseAttackFile(
      [{ name: "p", objective: "routed", radius: "1/255", steps: "20", checkFrom: undefined }],
      "f.json",
    );
    expect(parsed?.steps).toBe(20);
  });

  test("with early:published keeps to the published loop: no budget, a random start", () => {
    const attack = configure({
      objective: "early:published",
      radius: "8/255",
      randomStart: false,
      steps: 1000,
      stepSize: "0.01",
      restarts: 1,
    });
    expect(attack.budget.radius).toBeUndefined();
    expect(attack.parameters.randomStart).toBe(true);
  });

  test.each<readonly [Partial<AttackConfig>, string]>([
    [
      { radius: 0.1, optimizer: "fgsm", steps: 3 },
      'attack "t": fgsm takes one step, got 3. Use "optimizer": "pgd" for more. [attack/config]',
    ],
    [
      { optimizer: "pgd" },
      'attack "t": pgd needs a radius. Add one in pixel units, e.g. "radius": "8/255". [attack/config]',
    ],
    [
      { radius: -1 },
      'attack "t": radius -1 is negative. Give a radius of 0 or more, in pixel units (8/255). [attack/config]',
    ],
    [
      { radius: "a" },
      'attack "t", radius: "a" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%). [cli/value]',
    ],
    [
      { radius: 0.1, objective: "misclassify:7" },
      'objective misclassify:7: the model has exits 0 to 2. Name one of them, or "final". [attack/config]',
    ],
    [
      { radius: 0.1, alpha: 1 },
      'attack "t": misclassify:final with its default optimizer has no parameter "alpha". Remove it; it takes loss, name, norm, objective, optimizer, radius, randomStart, restarts, samples, stepSize, steps. [attack/config]',
    ],
  ])("is refused when wrong: %j", (config, text) => {
    expect(() => configure(config)).toThrow(expect.objectContaining({ message: text }));
  });
});

describe("an attack file", () => {
  test("names the entry and the field that is wrong", () => {
    expect(() =>
      parseAttackFile(
        [
          { name: "a", objective: "routed" },
          { name: "b", objective: "nothing" },
        ],
        "f.json",
      ),
    ).toThrow(/^f\.json at \[1\]\.objective: expected misclassify:final, .* \[attack\/config\]$/);
    expect(() => parseAttackFile([{ name: "a", objective: "routed", speed: 3 }], "f.json")).toThrow(
      /^f\.json at \[0\]: .*"speed"/,
    );
  });

  test("refuses two attacks of one name", () => {
    const one = { name: "a", objective: "routed" };
    expect(() => parseAttackFile([one, one], "f.json")).toThrow(
      'f.json: two attacks are named "a". Give each its own name. [attack/config]',
    );
  });
});

describe("presets", () => {
  test("all configure on a multi-exit model, and those that need no early exits on a static one", () => {
    for (const config of presetConfigs(["all"], { epsilon: 8 / 255, earlyExits: 2 }))
      expect(() => configureAttack(config, victim)).not.toThrow();
    const single = victimOf(
      linearModel(
        [
          [1, 0],
          [0, 1],
        ],
        [0, 0],
      ),
    );
    const names = usable(PRESET_NAMES, { earlyExits: 0 });
    expect(names).toEqual(["fgsm", "pgd", "pgd-l2", "cw"]);
    for (const config of presetConfigs(names, { epsilon: 0.1, earlyExits: 0 }))
      expect(() => configureAttack(config, single)).not.toThrow();
  });

  test("refuse unknown names and attacks on exits that are not there", () => {
    expect(() => presetConfigs(["pdg"], { epsilon: 0.1, earlyExits: 2 })).toThrow(
      /^attacks: "pdg" is not the name of an attack\. Choose from fgsm, .*\[cli\/value\]$/,
    );
    expect(() => presetConfigs(["slowdown"], { epsilon: 0.1, earlyExits: 0 })).toThrow(
      "attack slowdown: the model has a single exit, and this attack needs early ones. Use fgsm, pgd, pgd-l2, cw. [attack/unsupported]",
    );
  });
});

describe("names that have changed", () => {
  test.each(Object.entries(OLD_NAMES).filter(([old]) => old.includes(":")))(
    "an attack file may say %s for %s",
    (old, now) => {
      const [config] = parseAttackFile([{ name: "t", objective: old, radius: 0.1 }], "file");
      const attack = configureAttack(config, victim);
      expect(attack.objective.name).toBe(now);
      expect(attack.parameters).toEqual(configure({ objective: now, radius: 0.1 }).parameters);
    },
  );

  test("an attack may be called early-paper, once with its new name", () => {
    const context = { epsilon: 0.1, earlyExits: 2 };
    expect(presetConfigs(["early-paper", "early-published"], context)).toEqual(
      presetConfigs(["early-published"], context),
    );
  });

  test("no name is old and new at once", () => {
    for (const now of Object.values(OLD_NAMES)) expect(currentName(now)).toBe(now);
  });
});
