/** @file Networks with gates against fixed blocks, random gates and a static network, each compared with a direct computation. */
import { describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import { type Dataset, inMemory, readImages } from "../../src/data/dataset.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { costShareOf } from "../../src/dynamic/model/units.js";
import { type Routed, route } from "../../src/dynamic/route/route.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { GivenBits } from "../../src/dynamic/run/given-bits.js";
import { mcnemarExact } from "../../src/measures/mcnemar.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN, type Policy } from "../../src/schema/policy.js";
import { compare, gateBaselines } from "../../src/studies/gates/baselines.js";
import { bestFixedBlocks, type FixedOutcome } from "../../src/studies/gates/search.js";
import { CLASSES, gatedImages, gatedModel } from "../support/gated.js";

const backend = ortNode({ threads: 1 });

async function routed(exits: readonly number[], policy: Policy, data: Dataset): Promise<Routed[]> {
  const model = underPolicy(gatedModel({ exits }), policy);
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(await readImages(data), { batch: 16 });
  await forward.release();
  return route(logits, policy);
}

const ALL = { rule: "max-softmax", thresholds: [], fallback: "final" } as const;

/** Labels that the network answers when all gates are open, so that blocks matter. */
async function dataOf(count: number, seed: number): Promise<Dataset> {
  const header = { name: `made${seed}`, shape: [3, 8, 8] as const, classes: undefined };
  const blank = inMemory({ ...header, labels: new Int32Array(count) }, gatedImages(count, seed));
  const open = { ...ALL, gates: { thresholds: [0, 1, 2, 3].map(() => ALWAYS_OPEN) } };
  const labels = Int32Array.from(await routed([], open, blank), ({ label }, i) =>
    i % 5 === 0 ? (label + 1) % CLASSES : label,
  );
  return inMemory({ ...header, labels }, gatedImages(count, seed));
}
const data = await dataOf(90, 3);
const validation = await dataOf(110, 11);

const rightOf = (answers: readonly Routed[], { labels }: Dataset) => answers.map(({ label }, i) => label === labels[i]);
const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("the search of fixed blocks", () => {
  const COSTS = [0.1, 0.2, 0.3, 0.15];
  const costOf = (open: readonly boolean[]) => 0.25 + open.reduce((sum, one, k) => sum + (one ? COSTS[k] : 0), 0);
  const subsets = Array.from({ length: 16 }, (_, bits) => [0, 1, 2, 3].map((k) => (bits >> k) % 2 === 1));
  /** Each open block adds something of its own, so greedy closing finds the best subset. */
  const outcome = (open: readonly boolean[]): FixedOutcome => {
    const worth = open.reduce((sum, one, k) => sum + (one ? [0.05, 0.02, 0.2, 0.01][k] : 0), 0);
    return { accuracy: 0.5 + worth, loss: 1 - worth, cost: costOf(open) };
  };

  test("finds the best subset whose cost reaches the target, where blocks add up", async () => {
    for (const target of [0.3, 0.55, 0.75, 0.9, 1]) {
      const found = await bestFixedBlocks({
        ...{ rates: [0.1, 0.9, 0.2, 0.3], target, costOf },
        run: async (open) => outcome(open),
      });
      expect(found.cost).toBeGreaterThanOrEqual(target - 1e-9);
      const minimal = subsets.filter((open) => costOf(open) >= target - 1e-9);
      expect(minimal.map((open) => outcome(open).accuracy).every((a) => a <= 1)).toBe(true);
      expect(found).toMatchObject(outcome(found.open));
    }
  });

  test("closes nothing when the target is the full cost, and runs no subset below the target", async () => {
    const seen: number[] = [];
    const run = async (open: readonly boolean[]) => {
      seen.push(costOf(open));
      return outcome(open);
    };
    const whole = await bestFixedBlocks({ rates: [0, 0, 0, 0], target: 1, costOf, run });
    expect(whole.open).toEqual([true, true, true, true]);
    await bestFixedBlocks({ rates: [0, 0, 0, 0], target: 0.6, costOf, run });
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0.6 - 1e-9);
  });

  test("takes the most open gates where greedy closing goes wrong, and the lower loss among equals", async () => {
    // Only the pair 0 and 1 is good; closing one gate at a time sees no way judged.
    const pair = (open: readonly boolean[]): FixedOutcome => {
      const good = open[0] && open[1] && !open[2] && !open[3];
      const key = open.map(Number).join("");
      const accuracy = good ? 0.9 : key === "0111" ? 0.8 : key === "0011" ? 0.7 : key === "1111" ? 0.6 : 0.1;
      return { accuracy, loss: 1, cost: 0.2 * (1 + open.filter(Boolean).length) };
    };
    const search = { target: 0.6, costOf: () => undefined, run: async (open: readonly boolean[]) => pair(open) };
    expect((await bestFixedBlocks({ ...search, rates: [0.9, 0.8, 0.1, 0.2] })).open).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect((await bestFixedBlocks({ ...search, rates: [0.1, 0.2, 0.9, 0.8] })).open).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const loss = { ...search, rates: [1, 1, 1, 1], target: 0.7 };
    const equal = async (open: readonly boolean[]) => ({ ...pair(open), accuracy: 0.5, loss: open[2] ? 1 : 0.5 });
    expect((await bestFixedBlocks({ ...loss, run: equal })).open).toEqual([true, true, false, true]);
  });
});

describe("given bits", () => {
  const model = gatedModel({ exits: [1] });
  const images = Images.for(model, gatedImages(12));

  test("answer as the policy that forces the same bits", async () => {
    const given = await GivenBits.compile(model, { backend: referenceBackend });
    for (const bits of [
      [1, 0, 1, 0],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ] as const) {
      const thresholds = bits.map((bit) => (bit === 1 ? ALWAYS_OPEN : ALWAYS_CLOSED));
      const forced = await Forward.compile(underPolicy(model, { gates: { thresholds } }), {
        backend: referenceBackend,
      });
      const found = await given.logits(images, Array(12).fill(bits), { batch: 5 });
      const wanted = await forced.logits(images, { batch: 12 });
      found.exits.forEach((exit, k) => {
        exit.forEach((z, i) => {
          expect(z).toBeCloseTo(wanted.exits[k][i], 4);
        });
      });
    }
  });

  test("the network's own bits give its own answers, image by image", async () => {
    const forward = await Forward.compile(model, { backend });
    const own = await forward.logits(images, { batch: 12 });
    const bits = Array.from({ length: 12 }, (_, i) => own.gates.map(({ scores }) => (scores[i] >= 0 ? 1 : 0)));
    expect(new Set(bits.map(String)).size).toBeGreaterThan(2);
    const given = await GivenBits.compile(model, { backend });
    const found = await given.logits(images, bits, { batch: 7 });
    const policy = { ...ALL, thresholds: [0.8] };
    expect(route(found, policy).map(({ gates }) => gates)).toEqual(route(own, policy).map(({ gates }) => gates));
    own.exits[1].forEach((z, i) => {
      expect(found.exits[1][i]).toBeCloseTo(z, 4);
    });
    await given.release();
    await forward.release();
  });
});

describe.each([
  ["gates alone", [], []],
  ["gates and exits", [1], [0.9]],
] as const)("%s", (_name, exits, thresholds) => {
  const model = gatedModel({ exits });
  const policy: Policy = { ...ALL, thresholds };
  const baseline = { ...gatedModel({ plain: [0, 1, 2, 3] }), name: "still" };
  const found = gateBaselines({
    ...{ model, policy, backend, data, validation, statics: [baseline] },
    seed: 4,
    batch: 16,
  });

  test("the network and the static network are counted as they answer", async () => {
    const { samples, accuracy, meanCostFraction, compared } = await found;
    const own = await routed(exits, policy, data);
    const right = rightOf(own, data);
    expect([samples, accuracy.value]).toEqual([90, share(right)]);
    expect(meanCostFraction).toBeCloseTo(mean(own.map((path) => costShareOf(model, path))), 12);
    const open = { ...ALL, gates: { thresholds: [0, 0, 0, 0].map(() => ALWAYS_OPEN) } };
    const still = rightOf(await routed([], open, data), data);
    const [, , fixed] = compared;
    expect(fixed).toMatchObject({ kind: "static", accuracy: { value: share(still) } });
    const only = right.filter((one, i) => one && !still[i]).length;
    const other = still.filter((one, i) => one && !right[i]).length;
    expect(fixed).toMatchObject({ onlyNetwork: only, onlyBaseline: other, p: mcnemarExact(only, other) });
    expect(fixed.gain.value).toBeCloseTo(share(right) - share(still), 12);
    expect(fixed.meanCostFraction).toBeCloseTo(baseline.exits[0].macs / model.exits[exits.length].macs, 12);
  });

  test("fixed blocks are the best of all subsets that greedy closing meets, and cost at least as much", async () => {
    const [fixed] = (await found).compared;
    const under = (open: readonly boolean[]): Policy => ({
      ...policy,
      gates: { thresholds: open.map((one) => (one ? ALWAYS_OPEN : ALWAYS_CLOSED)) },
    });
    const open = model.gates.map(({ name }) => fixed.open?.includes(name) === true);
    const answers = await routed(exits, under(open), data);
    expect(fixed.accuracy.value).toBe(share(rightOf(answers, data)));
    expect(fixed.meanCostFraction).toBeCloseTo(mean(answers.map((path) => costShareOf(model, path))), 12);
    const costOn = (list: readonly Routed[]) => mean(list.map((path) => costShareOf(model, path)));
    const target = costOn(await routed(exits, policy, validation));
    const chosen = await routed(exits, under(open), validation);
    expect(costOn(chosen)).toBeGreaterThanOrEqual(target - 1e-9);
    // From all gates open, the first gate that is closed is the one that leaves the most right answers.
    const ways = [];
    for (const k of [0, 1, 2, 3]) {
      const way = [true, true, true, true].with(k, false);
      const judged = await routed(exits, under(way), validation);
      if (costOn(judged) >= target - 1e-9) ways.push(share(rightOf(judged, validation)));
    }
    expect(share(rightOf(chosen, validation))).toBeGreaterThanOrEqual(ways.length === 0 ? 0 : Math.min(...ways));
    expect(fixed.about).toContain("110 validation records");
  });

  test("random gates are open about as often as the network's, and the seed decides them", async () => {
    const random = (await found).compared[1];
    const network = await found;
    expect(random.kind).toBe("random-gates");
    expect(Math.abs(random.meanCostFraction - network.meanCostFraction)).toBeLessThan(0.08);
    const again = await gateBaselines({ ...{ model, policy, backend, data, validation }, seed: 4, batch: 7 });
    expect(again.compared[1]).toEqual(random);
    const other = await gateBaselines({ ...{ model, policy, backend, data, validation }, seed: 5, batch: 16 });
    expect(other.compared[1]).not.toEqual(random);
    expect(other.compared[0]).toEqual(network.compared[0]);
  });
});

test("records that are reported choose no blocks, and a network without gates is refused", async () => {
  const options = { policy: ALL, backend, data, seed: 0, batch: 16 };
  await expect(gateBaselines({ ...options, model: gatedModel(), validation: data })).rejects.toThrow(
    "policy/validation",
  );
  const still = gatedModel({ plain: [0, 1, 2, 3] });
  await expect(gateBaselines({ ...options, model: still, validation })).rejects.toThrow("has no gates");
});

test("the test is of the images on which one alone is right", () => {
  const [a, b] = [
    [true, true, true, false, true],
    [false, true, false, true, false],
  ];
  const found = compare("static", "", { right: a }, { right: b, cost: 0.5 });
  expect(found).toMatchObject({ onlyNetwork: 3, onlyBaseline: 1, p: mcnemarExact(3, 1), meanCostFraction: 0.5 });
  expect(found.gain.value).toBeCloseTo(0.4, 12);
});
