/** @file Laws of AutoAttack and its members: balls, batches, restarts, queries, and the composition of the members. */
import { describe, expect, test } from "vitest";
import type { SampleOutcome } from "../../src/attacks/attack.js";
import { firing, routedLabel } from "../../src/attacks/goals/victim.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { NORMS } from "../../src/perturb/norms.js";
import { linearModel, samplesOf, smallExits, victimOf } from "../support/models.js";

const model = smallExits();
const victim = victimOf(model);
const samples = (await samplesOf(model, 12)).map((s) => ({ ...s, label: routedLabel(s.clean, victim) }));
const evaluator = new Evaluator(model, { backend: ortNode({ threads: 1 }) });

type Config = Omit<AttackConfig, "name">;
const attack = (config: Config, batch = 64, against = victim): Promise<SampleOutcome[]> =>
  runAttack(configureAttack({ name: "t", ...config }, against), samples, { evaluator, seed: 1, batch });
const fallen = (outcomes: readonly SampleOutcome[]): boolean[] => outcomes.map((o) => o.eligible && o.success);
const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;

const RADII = { linf: 0.06, l2: 0.5, l1: 4 } as const;
const SHORT = {
  "apgd-ce": { steps: 6 },
  "apgd-dlr": { steps: 6 },
  "apgd-t": { steps: 6 },
  square: { queries: 20 },
  fab: { steps: 4 },
  "fab-t": { steps: 4 },
  autoattack: { steps: 4, queries: 10 },
  "autoattack-dynamic": { steps: 2, queries: 4 },
} as const satisfies Record<string, Config>;
const NAMES = Object.keys(SHORT) as (keyof typeof SHORT)[];
const GOALS = ["misclassify:final", "average", "routed", "max"];
const CASES = NAMES.flatMap((method, m) =>
  (["linf", "l2", "l1"] as const).map((norm, n) => ({ method, norm, goal: GOALS[(m + n) % GOALS.length] })),
);

describe.each(CASES)("$method in $norm on $goal", ({ method, norm, goal }) => {
  const config = { ...SHORT[method], method, norm, goal, radius: RADII[norm] };

  test("stays in its ball and in [0,1], and gives the same bytes whatever the batch", async () => {
    const [one, all] = [await attack(config, 5), await attack(config, 64)];
    expect(one).toEqual(all);
    all.forEach(({ image }, i) => {
      expect(NORMS[norm].distance(image, samples[i].pixels)).toBeLessThanOrEqual(RADII[norm] + 1e-5);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
    });
  });

  test("succeeds where the goal is met, for a target too", async () => {
    const aimed = await attack({ ...config, target: "least-likely", radius: 3 * RADII[norm] });
    const session = await ortNode({ threads: 1 }).compile(model.graph);
    for (const [i, { image, success, eligible }] of aimed.entries()) {
      if (!eligible) continue;
      const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: image } });
      const logits = model.exits.map((e) => out[e.logits].data as Float32Array);
      const answer =
        goal === "misclassify:final" ? logits[2].indexOf(Math.max(...logits[2])) : routedLabel(logits, victim);
      const final = samples[i].clean[2];
      const others = [...final.keys()].filter((k) => k !== samples[i].label);
      expect(success).toBe(answer === others.reduce((a, b) => (final[b] < final[a] ? b : a)));
    }
  });
});

test.each(["apgd-ce", "apgd-dlr", "square"])("%s also takes goals with a loss of their own", async (method) => {
  const short = method === "square" ? { queries: 300 } : { steps: 10 };
  const config = { method, goal: "slowdown", radius: 0.3, ...short };
  const outcomes = await attack(config, 64, victimOf(model, 0.9));
  expect(count(fallen(outcomes))).toBeGreaterThan(0);
});

test.each(["apgd-t", "fab", "fab-t", "autoattack"])("%s does not", (method) => {
  expect(() => configureAttack({ name: "t", method, goal: "slowdown", radius: 0.2 }, victim)).toThrow(
    "has a loss of its own",
  );
});

describe("never does worse", () => {
  test.each([
    ["apgd-ce", { steps: 3 }],
    ["apgd-t", { steps: 2 }],
    ["square", { queries: 8 }],
    ["fab", { steps: 1 }],
  ] as const)("with more restarts: %s", async (method, short) => {
    const config = { ...short, method, radius: 0.03, goal: "misclassify:final" };
    const [one, three] = [fallen(await attack(config)), fallen(await attack({ ...config, restarts: 3 }))];
    one.forEach((fell, i) => fell && expect(three[i]).toBe(true));
  });

  test("with more queries, because the first ones stay the same", async () => {
    const config = { method: "square", radius: 0.08 };
    const [few, many] = [await attack({ ...config, queries: 15 }), await attack({ ...config, queries: 200 })];
    expect(count(fallen(few))).toBeLessThan(count(fallen(many)));
    expect(count(fallen(few))).toBeGreaterThan(0);
    few.forEach((outcome, i) => outcome.success && expect(many[i]).toEqual(outcome));
  });
});

describe("AutoAttack", () => {
  const base = { radius: 0.03, goal: "misclassify:final" } as const;
  const members = ["square", "apgd-ce", "fab"] as const;
  const alone = (method: (typeof members)[number]) =>
    attack({
      ...base,
      method,
      ...(method === "square" ? { queries: 6 } : { steps: 4 }),
      ...(method === "fab" ? { stopAtSuccess: true } : {}),
    });

  test("gives the image of the first member that succeeds, each from the clean image", async () => {
    const composed = await attack({
      ...base,
      method: "autoattack",
      version: "custom",
      members: members.join(","),
      steps: 4,
      queries: 6,
    });
    const single = await Promise.all(members.map(alone));
    const winners = composed.map(({ image, success }, i) => {
      const first = single.findIndex((outcomes) => outcomes[i].success);
      expect(success).toBe(first >= 0);
      expect(image).toEqual(single[Math.max(first, 0)][i].image);
      const asked = single
        .slice(0, first < 0 ? 3 : first + 1)
        .reduce((sum, outcomes) => sum + outcomes[i].spent.queries, 0);
      expect(composed[i].spent.queries).toBe(asked);
      return first;
    });
    // The test says something only where different members win.
    expect(new Set(winners).size).toBeGreaterThan(1);
  });

  const parameters = (config: Config) =>
    configureAttack({ name: "t", method: "autoattack", radius: 0.1, ...config }, victim).parameters;

  test.each([
    ["standard", "apgd-ce,apgd-t,fab-t,square"],
    ["plus", "apgd-ce,apgd-dlr,fab,square,apgd-t,fab-t"],
    ["rand", "apgd-ce,apgd-dlr"],
  ])("has the members of its version: %s", (version, names) => {
    expect(parameters({ version }).members).toBe(names);
    expect(() => parameters({ version, members: "fab" })).toThrow(`version "${version}" has its own members`);
  });

  test("of the version rand takes twenty gradients at each image", async () => {
    const tiny = { method: "autoattack", version: "rand", steps: 2, radius: 1e-6 };
    const { spent } = (await attack(tiny)).find(({ eligible }) => eligible) as SampleOutcome;
    expect(spent.gradients).toBe(2 * 3 * 20);
  });

  test("is refused for classes too few for its members, and names what is left", () => {
    const two = victimOf(linearModel([[1, 0], [0, 1]], [0, 0])); // biome-ignore format: a matrix
    const config = { name: "t", method: "autoattack", radius: 0.1 };
    expect(() => configureAttack(config, two)).toThrow('apgd-t, loss: the model has 2 classes, and "targeted-dlr"');
    expect(() => configureAttack({ ...config, version: "custom", members: "apgd-ce,fab,square" }, two)).not.toThrow();
  });
});

describe("AutoAttack for networks with several exits", () => {
  const short = { radius: 0.012, steps: 3, queries: 6 } as const;

  test("is judged by the routed answer unless a goal is named", () => {
    const { goal } = configureAttack({ name: "t", method: "autoattack-dynamic", radius: 0.1 }, victim);
    expect([goal.name, goal.answer]).toEqual(["routed", "routed"]);
  });

  test("breaks whatever AutoAttack breaks on one of the goals", async () => {
    const worst = fallen(await attack({ ...short, method: "autoattack-dynamic" }));
    const single = await Promise.all(
      ["routed", "average", "max"].map(async (goal) => fallen(await attack({ ...short, method: "autoattack", goal }))),
    );
    for (const one of single) one.forEach((fell, i) => fell && expect(worst[i]).toBe(true));
    expect(count(worst)).toBeGreaterThan(0);
    expect(count(worst)).toBeLessThan(worst.length);
  });

  test("is AutoAttack on a network with one exit", async () => {
    const weights = [[0.9, -0.4, 0.7], [-0.3, 0.8, 0.2], [0.4, 0.1, -0.6], [-0.6, -0.5, 0.3]]; // biome-ignore format: a matrix
    const single = linearModel(weights, [0.1, 0, 0.2, 0]);
    const one = victimOf(single);
    const of = await samplesOf(single, 8);
    const run = (method: string) =>
      runAttack(
        configureAttack({ name: "t", method, goal: "misclassify:final", radius: 0.1, steps: 5, queries: 6 }, one),
        of,
        { evaluator: new Evaluator(single, { backend: ortNode({ threads: 1 }) }), seed: 1, batch: 8 },
      );
    const [dynamic, standard] = [await run("autoattack-dynamic"), await run("autoattack")];
    expect(dynamic).toEqual(standard);
    expect(count(fallen(standard))).toBeGreaterThan(0);
    expect(count(fallen(standard))).toBeLessThan(8);
  });

  test("with the goal slowdown costs at least as much as each of its members", async () => {
    const against = victimOf(model, 0.9);
    const common = { goal: "slowdown", radius: 0.2 } as const;
    const session = await ortNode({ threads: 1 }).compile(model.graph);
    const costs = async (config: Config): Promise<number[]> => {
      const outcomes = await attack({ ...common, ...config }, 64, against);
      return Promise.all(
        outcomes.map(async ({ image }) => {
          const out = await session.run({ image: { dtype: "float32", dims: [1, 3, 8, 8], data: image } });
          const logits = model.exits.map((e) => out[e.logits].data as Float32Array);
          return firing(logits, against) ?? 2;
        }),
      );
    };
    const worst = await costs({ method: "autoattack-dynamic", steps: 5, queries: 20 });
    for (const member of [
      { method: "apgd-ce", steps: 5 },
      { method: "square", queries: 20 },
    ])
      (await costs(member)).forEach((cost, i) => expect(worst[i]).toBeGreaterThanOrEqual(cost));
    expect(new Set(worst).size).toBeGreaterThan(1);
  });
});
