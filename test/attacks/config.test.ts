import { describe, expect, test } from "vitest";
import { currentName, OLD_NAMES } from "../../src/attacks/names.js";
import { PRESET_NAMES, presetConfigs, usable } from "../../src/attacks/presets.js";
import { type AttackConfig, configureAttack, parseAttackFile } from "../../src/attacks/spec.js";
import { attackWith, linearExits, linearSample } from "../support/attack.js";
import { linearModel, smallExits, victimOf } from "../support/models.js";

const victim = victimOf(smallExits(), 0.6);
const configure = (config: Partial<AttackConfig>) => configureAttack({ name: "t", ...config }, victim);

describe("an attack of a file", () => {
  test("gets PGD's defaults: 10 steps of a quarter of the radius, from a random point, once", () => {
    const attack = configure({ radius: "8/255" });
    expect(attack.method.name).toBe("pgd");
    expect(attack.budget).toEqual({ norm: "linf", radius: 8 / 255 });
    expect(attack.parameters).toEqual({
      loss: "cross-entropy",
      steps: 10,
      stepSize: 8 / 255 / 4,
      randomStart: true,
      restarts: 1,
      iterate: "best",
      kappa: 1000,
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
    expect(attack.method.name).toBe("adam-tanh");
    expect(attack.budget).toEqual({ norm: "l2", radius: undefined });
    expect(attack.parameters).toEqual({
      alpha: 0.1,
      steps: 1000,
      stepSize: 0.01,
      randomStart: true,
      c: 0,
      searchSteps: 1,
      checkFrom: 200,
      stopAtSuccess: true,
      kappa: 0,
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
    expect(configureAttack(parsed, victim).parameters.steps).toBe(20);
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
      'attack "t", steps: got 3, expected a whole number of at least 1 and at most 1. Correct the value. [attack/config]',
    ],
    [
      { optimizer: "pgd" },
      'attack "t": pgd needs a radius. Add one in pixel units, e.g. "radius": "8/255". [attack/config]',
    ],
    [
      { radius: -1 },
      'attack "t", radius: got -1, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "8/255". [attack/config]',
    ],
    [
      { radius: 8 },
      'attack "t", radius: got 8, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "8/255". [attack/config]',
    ],
    [
      { radius: 0.1, stepSize: 2 },
      'attack "t", stepSize: got 2, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "2/255". [attack/config]',
    ],
    [
      { radius: 0.1, steps: 1.5 },
      'attack "t", steps: got 1.5, expected a whole number of at least 1. Correct the value. [attack/config]',
    ],
    [
      { radius: "a" },
      'attack "t", radius: "a" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%). [cli/value]',
    ],
    [
      { radius: 0.1, objective: "misclassify:7" },
      'goal misclassify:7: the model has exits 0 to 2. Name one of them, or "final". [attack/config]',
    ],
    [
      { radius: 0.1, alpha: 1 },
      'attack "t": misclassify:final with pgd has no parameter "alpha". Write "stepSize" in its place; it takes gates, goal, iterate, kappa, loss, method, name, norm, radius, randomStart, restarts, samples, stepSize, steps, target. [attack/config]',
    ],
  ])("is refused when wrong: %j", (config, text) => {
    expect(() => configure(config)).toThrow(expect.objectContaining({ message: text }));
  });
});

describe("a field under the name that it has elsewhere is answered with its name here", () => {
  test.each([
    ["eps", "radius"],
    ["epsilon", "radius"],
    ["alpha", "stepSize"],
    ["step_size", "stepSize"],
    ["iterations", "steps"],
    ["random_start", "randomStart"],
    ["n_restarts", "restarts"],
  ])("%s: %s", (field, name) => {
    const file = () => parseAttackFile([{ name: "p", method: "pgd", [field]: 1 }], "f.json");
    expect(file).toThrow(`f.json at [0], attack "p": misclassify:final with pgd has no parameter "${field}"`);
    expect(file).toThrow(`Write "${name}" in its place`);
  });

  test("unless the attack has no such field either", () => {
    const file = () => parseAttackFile([{ name: "p", method: "deepfool", alpha: 1 }], "f.json");
    expect(file).toThrow(/has no parameter "alpha"\. Remove it/);
  });
});

describe("a radius of an attack file has the range of an option", () => {
  test.each([8, "8", "2040/255", 1.01, -0.1])("%s in Linf is refused, and the file is named", (radius) => {
    const file = () => parseAttackFile([{ name: "p", method: "pgd", radius }], "f.json");
    expect(file).toThrow(
      /^f\.json at \[0\], attack "p", radius: got .*expected 0 to 1: .*Write a fraction such as "8\/255"/,
    );
  });

  test("the advice names the radius that was meant", () => {
    const file = () => parseAttackFile([{ name: "p", method: "pgd", radius: 4 }], "f.json");
    expect(file).toThrow('Write a fraction such as "4/255"');
  });

  test("8 in L2 and L1 is a radius", () => {
    for (const norm of ["l2", "l1"] as const)
      expect(parseAttackFile([{ name: "p", method: "pgd", norm, radius: 8 }], "f.json")).toHaveLength(1);
  });
});

describe("wrong use of an attack gets one clear message", () => {
  test.each<readonly [Partial<AttackConfig>, string]>([
    [
      { method: "bim", norm: "l2", radius: 0.1 },
      'attack "t": bim does not work in l2. It works in linf. [attack/config]',
    ],
    [
      { method: "pgd", radius: 0.1, target: 9 },
      'attack "t", target: got 9, expected a class from 0 to 3. Give one of them, least-likely or second or random. [attack/config]',
    ],
    ...["", "cat", "1.5", -1, 0.5, null, true].map(
      (target) =>
        [
          { method: "pgd", radius: 0.1, target: target as never },
          `attack "t", target: got ${JSON.stringify(target)}, expected least-likely, second, random or the number of a class. docs/attack-file.md lists the fields. [attack/config]`,
        ] as const,
    ),
    [
      { method: "pgd", norm: "l0", radius: 3 },
      'attack "t": pgd does not work in l0. It works in linf, l2, l1. [attack/config]',
    ],
    [
      { method: "pgd", radius: "8/255", stepSize: 2 },
      'attack "t", stepSize: got 2, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "2/255". [attack/config]',
    ],
    [
      { method: "tpgd", radius: 0.1, target: 1 },
      'attack "t": tpgd has no targeted form. Remove "target". [attack/config]',
    ],
    [
      { goal: "slowdown", radius: 0.1, target: 1 },
      'attack "t": slowdown has no targeted form. Remove "target". [attack/config]',
    ],
    [
      { method: "square", radius: "8" },
      'attack "t", radius: got 8, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "8/255". [attack/config]',
    ],
  ])("%j", (config, text) => {
    const run = () => configureAttack({ name: "t", goal: "misclassify:final", ...config }, victim);
    expect(run).toThrow(expect.objectContaining({ message: text }));
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
    ).toThrow(
      /^f\.json at \[1\], attack "b": goal "nothing" is not known\. Choose from misclassify:final, .* \[attack\/config\]$/,
    );
    expect(() => parseAttackFile([{ name: "a", objective: "routed", speed: 3 }], "f.json")).toThrow(
      /^f\.json at \[0\], attack "a": .*"speed"/,
    );
  });

  test("says what a target can be", () => {
    expect(() => parseAttackFile([{ name: "a", radius: 0.1, target: "" }], "f.json")).toThrow(
      /^f\.json at \[0\]\.target: got "", expected least-likely, second, random or the number of a class\./,
    );
    const [{ target }] = parseAttackFile([{ name: "a", radius: 0.1, target: "3" }], "f.json");
    expect(target).toBe(3);
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
    // No two images of fewer than 12 values are as far apart as the L1 radius of a preset.
    const ones = new Array<number>(16).fill(1);
    const rows = [1, 0.5, 0, -1].map((weight) => ones.map(() => weight));
    const single = victimOf(linearModel(rows, [0, 0, 0, 0]));
    const names = usable(PRESET_NAMES, { earlyExits: 0 });
    expect(names).toEqual(expect.arrayContaining(["fgsm", "pgd", "pgd-l2", "cw"]));
    expect(names).not.toContain("slowdown");
    expect(names).not.toContain("ilfo");
    for (const config of presetConfigs(names, { epsilon: 0.1, earlyExits: 0 }))
      expect(() => configureAttack(config, single)).not.toThrow();
  });

  test("slowdown in L1 moves the steepest value: it succeeds just where the ball reaches a doubt of the first exit", async () => {
    // The first exit fires at a gap of log(0.6 / 0.4) or more between its logits (0, w.x + 0.15).
    const w = [0.9, -0.4, 0.2, -1.1, 0.6, 0.3];
    const exits = [
      { weights: [w.map(() => 0), w], bias: [0, 0.15] },
      { weights: [w.map(() => 0), w], bias: [0, 0.3] },
    ];
    const sure = linearSample(exits, [0.7, 0.3, 0.6, 0.35, 0.7, 0.6]);
    const needed = (sure.clean[0][1] - Math.log(0.6 / 0.4)) / 1.1;
    const [preset] = presetConfigs(["slowdown-l1"], { epsilon: 0.1, earlyExits: 1 });
    const succeeds = async (radius: number) =>
      (await attackWith(victimOf(linearExits(exits), 0.6), [sure], { ...preset, radius, stepSize: radius / 16 }))[0]
        .success;
    expect([await succeeds(0.95 * needed), await succeeds(1.05 * needed)]).toEqual([false, true]);
  });

  test("refuse unknown names and attacks on exits that are not there", () => {
    expect(() => presetConfigs(["pdg"], { epsilon: 0.1, earlyExits: 2 })).toThrow(
      /^attacks: "pdg" is not the name of an attack\. Did you mean pgd\? Choose from fgsm, .*\[cli\/value\]$/,
    );
    expect(() => presetConfigs(["slowdown"], { epsilon: 0.1, earlyExits: 0 })).toThrow(
      /^attack slowdown: the model has a single exit, and this attack needs early ones or gates\. Use fgsm, pgd, pgd-l2, cw, .* \[attack\/unsupported\]$/,
    );
  });
});

describe("names that have changed", () => {
  test.each(Object.entries(OLD_NAMES).filter(([old]) => old.includes(":")))(
    "an attack file may say %s for %s",
    (old, now) => {
      const [config] = parseAttackFile([{ name: "t", objective: old, radius: 0.1 }], "file");
      const attack = configureAttack(config, victim);
      expect(attack.goal.name).toBe(now);
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
