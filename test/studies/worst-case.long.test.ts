/** @file The worst case over attacks and the spread over seeds: counted again by hand from the images of the audit. */
import { describe, expect, test } from "vitest";
import type { AttackConfig } from "../../src/attacks/spec.js";
import { Images } from "../../src/core/images.js";
import { inMemory } from "../../src/data/dataset.js";
import { argmax } from "../../src/dynamic/route/policy.js";
import { route } from "../../src/dynamic/route/route.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { AuditRecord } from "../../src/schema/audit-record.js";
import { type AuditOptions, type AuditOutcome, audit } from "../../src/studies/audit/index.js";
import { samplesOf, smallExits } from "../support/models.js";
import { timeless } from "../support/timeless.js";

const COUNT = 32;
const EACH = 3 * 8 * 8;
const model = smallExits();
const samples = await samplesOf(model, COUNT);
const clean = new Float32Array(COUNT * EACH);
for (const [i, { pixels }] of samples.entries()) clean.set(pixels, i * EACH);
// Every fourth label is wrong, so that some samples are wrong when clean.
const labels = Int32Array.from(samples, ({ label }, i) => (i % 4 === 0 ? (label + 1) % 4 : label));
const data = inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, clean);
const policy = { rule: "max-softmax", thresholds: [0.6, 0.6], fallback: "final" } as const;

const ATTACKS: readonly AttackConfig[] = [
  { name: "small", method: "pgd", radius: 0.02, steps: 6 },
  { name: "first", goal: "misclassify:0", method: "pgd", radius: 0.04, steps: 6 },
  { name: "routed", goal: "routed", method: "pgd", radius: 0.04, steps: 6 },
  { name: "euclid", method: "pgd", norm: "l2", radius: 0.3, steps: 6, samples: 20 },
  { name: "closest", method: "deepfool", norm: "l2", steps: 20 },
];

const run = (rest: Partial<AuditOptions> = {}): Promise<AuditOutcome> =>
  audit({
    ...{ model, backend: ortNode({ threads: 1 }), data, policy: { kind: "fixed", policy }, attacks: ATTACKS },
    ...{ seed: 5, batch: 8, version: "test", now: () => 0, ...rest },
  });

const DISTANCES = {
  linf: (a: Float32Array, b: Float32Array) => Math.max(...a.map((v, i) => Math.abs(v - b[i]))),
  l2: (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0)),
};

/** For each answer (routed, then the exits), whether it is right on each image. */
async function rightOn(pixels: Float32Array): Promise<boolean[][]> {
  const forward = await Forward.compile(model, { backend: ortNode({ threads: 1 }) });
  const logits = await forward.logits(new Images(pixels, [3, 8, 8]), { batch: 8 });
  await forward.release();
  const routed = route(logits, policy);
  const places = [...Array(pixels.length / EACH).keys()];
  return [
    places.map((i) => routed[i].label === labels[i]),
    ...logits.exits.map((_, exit) => places.map((i) => argmax(logits.row(exit, i)) === labels[i])),
  ];
}

/** The number of samples that resist, per answer, counted image by image. */
async function counted(
  outcomes: readonly Pick<AuditOutcome, "adversarial">[],
  norm: "linf" | "l2",
  radius: number,
): Promise<number[]> {
  const stands = await rightOn(clean);
  for (const images of outcomes.flatMap(({ adversarial }) => [...adversarial.values()])) {
    const right = await rightOn(images);
    for (let i = 0; i < images.length / EACH; i++) {
      const of = (all: Float32Array) => all.subarray(i * EACH, (i + 1) * EACH);
      if (DISTANCES[norm](of(images), of(clean)) > radius + 1e-6) continue;
      for (const [k, answer] of right.entries()) if (!answer[i]) stands[k][i] = false;
    }
  }
  return stands.map((answer) => answer.filter(Boolean).length);
}

const standing = ({ worstCase = [] }: AuditRecord) => worstCase.map((one) => one.answers.map((a) => a.standing));

describe("the worst case over attacks", () => {
  test("is the count of samples that are right on the clean image and on each image in the ball", async () => {
    const outcome = await run();
    const { worstCase = [] } = outcome.record;
    expect(worstCase.map(({ norm, radius }) => [norm, radius])).toEqual([
      ["linf", 0.02],
      ["linf", 0.04],
      ["l2", 0.3],
    ]);
    const byHand: number[][] = [];
    for (const [norm, radius] of [
      ["linf", 0.02],
      ["linf", 0.04],
      ["l2", 0.3],
    ] as const)
      byHand.push(await counted([outcome], norm, radius));
    expect(standing(outcome.record)).toEqual(byHand);
    // The case says something: attacks break samples, some stand, and budgets and answers differ.
    expect(new Set(byHand.flat()).size).toBeGreaterThan(4);
    expect(byHand.flat().filter((count) => count > 0 && count < (3 * COUNT) / 4).length).toBeGreaterThan(6);
    expect(worstCase[1].answers.map(({ answer }) => answer)).toEqual(["routed", "exit0", "exit1", "exit2"]);
    for (const { answers } of worstCase)
      for (const { standing: count, robustAccuracy } of answers) expect(robustAccuracy.value).toBe(count / COUNT);
  });

  test("is below each attack alone, and names the attacks that count", async () => {
    const { record } = await run();
    const [small, large, euclid] = record.worstCase ?? [];
    for (const attack of record.attacks.filter(({ norm, radius }) => norm === "linf" && radius === 0.04)) {
      const mine = large.answers.find(({ answer }) => answer === attack.answer);
      expect(mine?.robustAccuracy.value).toBeLessThanOrEqual(attack.robustAccuracy.value);
    }
    expect(small.attacks).toContain("small");
    expect(large.attacks).toEqual(expect.arrayContaining(["small", "first", "routed"]));
    expect(euclid.attacks).toContain("euclid");
  });

  test("is left out where no attack has a radius", async () => {
    expect((await run({ attacks: [{ name: "free", method: "deepfool", steps: 5 }] })).record.worstCase).toBeUndefined();
    expect((await run({ attacks: [] })).record.worstCase).toBeUndefined();
  });
});

describe("an audit with several seeds", () => {
  const attacks: readonly AttackConfig[] = [
    { name: "noise", method: "uniform-noise", radius: 0.04 },
    { name: "weak", goal: "routed", method: "pgd", radius: 0.02, steps: 1, stepSize: 0.004 },
  ];
  const alone = (seed: number) => run({ attacks, seed });
  test("holds each seed's rates, as audits with these seeds have them", async () => {
    const { record, rows } = await run({ attacks, seeds: 3 });
    const each = [await alone(5), await alone(6), await alone(7)];
    for (const [i, { seeds, ...attack }] of record.attacks.entries()) {
      expect(seeds?.seeds).toEqual([5, 6, 7]);
      const of = (rate: "robustAccuracy" | "successRate" | "success8bit") =>
        each.map((outcome) => outcome.record.attacks[i][rate].value);
      for (const rate of ["robustAccuracy", "successRate", "success8bit"] as const)
        expect(seeds?.[rate].values).toEqual(of(rate));
      expect(seeds?.routedAccuracy.values).toEqual(each.map((e) => e.record.attacks[i].routed.accuracy));
      expect(seeds?.meanCostFraction.values).toEqual(each.map((e) => e.record.attacks[i].routed.meanCostFraction));
      expect(timeless(attack)).toEqual(timeless(each[0].record.attacks[i]));
    }
    // Random starts lead to other images, so something varies.
    expect(record.attacks.some(({ seeds }) => (seeds?.robustAccuracy.deviation ?? 0) > 0)).toBe(true);
    expect(rows.filter(({ attack }) => attack === "weak").map(({ seed }) => seed)).toEqual(
      [5, 6, 7].flatMap((seed) => new Array<number>(COUNT).fill(seed)),
    );
  });

  test("counts a sample as broken when any seed breaks it", async () => {
    const { record } = await run({ attacks, seeds: 3 });
    const each = [await alone(5), await alone(6), await alone(7)];
    const byHand = [await counted(each, "linf", 0.04), await counted(each, "linf", 0.02)];
    expect(standing(record)).toEqual(byHand);
    expect(standing(record)).not.toEqual(standing(each[0].record));
  });

  test("keeps the policy of the first seed, and runs the curve once", async () => {
    const validation = inMemory(
      { name: "held", shape: [3, 8, 8], classes: undefined, labels },
      clean.map((v) => 1 - v),
    );
    const choice = {
      ...({ kind: "calibrated", rule: "max-softmax", fallback: "final", validation } as const),
      target: { kind: "budget", cost: 0.7 } as const,
    };
    const options = { attacks: attacks.slice(0, 1), policy: choice, curves: { radii: [0.02], steps: 2 } };
    const [one, two] = [await run(options), await run({ ...options, seeds: 2 })];
    expect(two.record.clean).toEqual(one.record.clean);
    expect(two.record.curves).toEqual(one.record.curves);
    expect(two.adversarial).toEqual(one.adversarial);
  });

  test("has no field of seeds for one seed", async () => {
    expect((await run({ attacks, seeds: 1 })).record).toEqual((await run({ attacks })).record);
    expect((await run({ attacks })).record.attacks[0].seeds).toBeUndefined();
  });
});
