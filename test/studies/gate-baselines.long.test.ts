/** @file Networks with gates against fixed blocks, random gates and a static network, each compared with a direct computation. */
import { describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import type { Logits } from "../../src/core/logits.js";
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
import { type FixedOutcome, fixedCandidates } from "../../src/studies/gates/search.js";
import { CLASSES, gatedImages, gatedModel } from "../support/gated.js";

const backend = ortNode({ threads: 1 });

const routed = async (exits: readonly number[], policy: Policy, data: Dataset): Promise<Routed[]> =>
  route(await logitsOf(exits, policy, data), policy);

async function logitsOf(exits: readonly number[], policy: Policy, data: Dataset): Promise<Logits> {
  const model = underPolicy(gatedModel({ exits }), policy);
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(await readImages(data), { batch: 16 });
  await forward.release();
  return logits;
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
  /** Each open block adds something of its own, so greedy closing finds the best subset. */
  const outcome = (open: readonly boolean[]): FixedOutcome => {
    const worth = open.reduce((sum, one, k) => sum + (one ? [0.05, 0.02, 0.2, 0.01][k] : 0), 0);
    return { accuracy: 0.5 + worth, loss: 1 - worth, cost: costOf(open) };
  };

  test("closes the blocks that are worth least, as far as the target allows", async () => {
    const greedyOf = async (target: number) =>
      (await fixedCandidates({ rates: [0, 0, 0, 0], target, costOf, run: async (open) => outcome(open) })).greedy;
    for (const target of [0.3, 0.55, 0.75, 0.9, 1]) {
      const found = await greedyOf(target);
      expect(found.cost).toBeGreaterThanOrEqual(target - 1e-9);
      expect(found).toMatchObject(outcome(found.open));
      // No further block can be closed.
      const fewer = found.open.flatMap((one, k) => (one ? [found.cost - COSTS[k]] : []));
      expect(Math.max(...fewer)).toBeLessThan(target - 1e-9);
    }
    expect((await greedyOf(0.85)).open).toEqual([true, true, true, false]);
    expect((await greedyOf(0.65)).open).toEqual([true, false, true, false]);
  });

  test("closes nothing when the target is the full cost, and runs no subset below the target", async () => {
    const seen: number[] = [];
    const run = async (open: readonly boolean[]) => {
      seen.push(costOf(open));
      return outcome(open);
    };
    const { greedy, mostOpen } = await fixedCandidates({ rates: [0, 0, 0, 0], target: 1, costOf, run });
    expect([greedy.open, mostOpen.open]).toEqual([Array(4).fill(true), Array(4).fill(true)]);
    await fixedCandidates({ rates: [0, 0, 0, 0], target: 0.6, costOf, run });
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0.6 - 1e-9);
  });

  test("the other candidate has the most open gates, whatever they are worth; a cost may depend on answers", async () => {
    const search = { target: 0.6, costOf: () => undefined, run: async (open: readonly boolean[]) => even(open) };
    const even = (open: readonly boolean[]) => ({ ...outcome(open), cost: 0.2 * (1 + open.filter(Boolean).length) });
    const openOf = async (rates: (number | null)[]) => (await fixedCandidates({ ...search, rates })).mostOpen.open;
    expect(await openOf([0.9, 0.8, 0.1, 0.2])).toEqual([true, true, false, false]);
    expect(await openOf([0.1, null, 0.9, 0.8])).toEqual([false, false, true, true]);
  });

  test("the accuracy decides between equal cross-entropies alone", async () => {
    const run = async (open: readonly boolean[]) => ({ accuracy: open[2] ? 0.5 : 0.6, loss: 1, cost: costOf(open) });
    const found = await fixedCandidates({ rates: [1, 1, 1, 1], target: 0.6, costOf, run });
    expect(found.greedy.open[2]).toBe(false);
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
    const [, , , fixed] = compared;
    expect(fixed).toMatchObject({ kind: "static", accuracy: { value: share(still) } });
    const only = right.filter((one, i) => one && !still[i]).length;
    const other = still.filter((one, i) => one && !right[i]).length;
    expect(fixed).toMatchObject({ onlyNetwork: only, onlyBaseline: other, p: mcnemarExact(only, other) });
    expect(fixed.gain.value).toBeCloseTo(share(right) - share(still), 12);
    expect(fixed.meanCostFraction).toBeCloseTo(baseline.exits[0].macs / model.exits[exits.length].macs, 12);
  });

  test("both kinds of fixed blocks are those of a direct search, judged on the reported images", async () => {
    const under = (open: readonly boolean[]): Policy => ({
      ...policy,
      gates: { thresholds: open.map((one) => (one ? ALWAYS_OPEN : ALWAYS_CLOSED)) },
    });
    const costOn = (list: readonly Routed[]) => mean(list.map((path) => costShareOf(model, path)));
    const own = await routed(exits, policy, validation);
    const target = costOn(own);
    const lossOf = async (open: readonly boolean[]) => {
      const logits = await logitsOf(exits, under(open), validation);
      const paths = route(logits, under(open));
      const losses = paths.map(({ answer }, i) => {
        const exps = [...logits.row(answer, i)].map(Math.exp);
        return -Math.log(exps[validation.labels[i]] / exps.reduce((a, b) => a + b, 0));
      });
      return costOn(paths) >= target - 1e-9 ? mean(losses) : Number.POSITIVE_INFINITY;
    };
    let greedy = [true, true, true, true];
    for (;;) {
      const ways = greedy.flatMap((one, k) => (one ? [greedy.with(k, false)] : []));
      const losses: number[] = [];
      for (const way of ways) losses.push(await lossOf(way));
      const least = Math.min(...losses);
      if (!Number.isFinite(least)) break;
      greedy = ways[losses.indexOf(least)];
    }
    const rates = model.gates.map((_, k) => mean(own.flatMap(({ gates }) => gates?.[k] ?? [])) || 0);
    let often = [true, true, true, true];
    for (const k of [0, 1, 2, 3].sort((a, b) => rates[a] - rates[b] || b - a))
      if (Number.isFinite(await lossOf(often.with(k, false)))) often = often.with(k, false);
    const { compared } = await found;
    for (const [at, open] of [greedy, often].entries()) {
      const answers = await routed(exits, under(open), data);
      expect(compared[at].open).toEqual(model.gates.flatMap(({ name }, k) => (open[k] ? [name] : [])));
      expect(compared[at].accuracy.value).toBe(share(rightOf(answers, data)));
      expect(compared[at].meanCostFraction).toBeCloseTo(costOn(answers), 12);
      expect(compared[at].about).toContain("110 validation records");
    }
    expect(compared.map(({ kind }) => kind).slice(0, 2)).toEqual(["fixed-blocks", "most-open-blocks"]);
    expect(greedy).toContain(false);
  });

  test("random gates are open about as often as the network's, and the seed decides them", async () => {
    const random = (await found).compared[2];
    const network = await found;
    expect(random.kind).toBe("random-gates");
    expect(Math.abs(random.meanCostFraction - network.meanCostFraction)).toBeLessThan(0.08);
    const again = await gateBaselines({ ...{ model, policy, backend, data, validation }, seed: 4, batch: 7 });
    expect(again.compared[2]).toEqual(random);
    const other = await gateBaselines({ ...{ model, policy, backend, data, validation }, seed: 5, batch: 16 });
    expect(other.compared[2]).not.toEqual(random);
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
