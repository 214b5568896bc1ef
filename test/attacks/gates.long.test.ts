/** @file Attacks on networks with gates: the losses against their formulas, successes against what the routed network then does and costs,
 *  and refusals. */
import { describe, expect, test } from "vitest";
import type { Victim } from "../../src/attacks/goals/victim.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { NAMES } from "../../src/attacks/oracle/loss-graph.js";
import { type Sample, toEightBits } from "../../src/attacks/sample.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import type { Logits } from "../../src/core/logits.js";
import { openGates } from "../../src/dynamic/model/open-gates.js";
import { costOf } from "../../src/dynamic/model/units.js";
import { softmaxRow } from "../../src/dynamic/route/policy.js";
import { type Routed, route } from "../../src/dynamic/route/route.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN } from "../../src/schema/policy.js";
import { attackWith } from "../support/attack.js";
import { BLOCK_MACS, gatedImages } from "../support/gated.js";
import { backend, gatedSamples, gatedVictim, run, runFull, stacked } from "../support/gated-attacks.js";
import { smallExits, victimOf } from "../support/models.js";

const argmax = (row: Float32Array): number => row.indexOf(Math.max(...row));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The loss of an attack at the clean image of each sample, and what the reply says of the network. */
async function evaluated(victim: Victim, config: Omit<AttackConfig, "name">, samples: readonly Sample[], index = 0) {
  const { goal } = configureAttack({ name: "t", ...config }, victim);
  const evaluator = new Evaluator(victim.model, { backend });
  const found = await evaluator.evaluate(
    samples.map((sample) => ({
      question: { image: sample.pixels, loss: goal.losses[index], gradient: false },
      sample,
      label: goal.label(sample),
    })),
  );
  const kept = found.map(({ loss, bits, full }) => ({ loss, bits, full: full && Float32Array.from(full) }));
  await evaluator.release();
  return kept;
}

/** sum_k w_k min(sign * (z_k - t_k), kappa) from scores that the network gave, by the sizes of its convolutions. */
const moved = (logits: Logits, i: number, sign: number, kappa: number, counted = BLOCK_MACS.map((_, k) => k)): number =>
  total(
    counted.map(
      (k) =>
        (BLOCK_MACS[k] / total(counted.map((j) => BLOCK_MACS[j]))) *
        Math.min(sign * (logits.gates[k].scores[i] - logits.gates[k].threshold), kappa),
    ),
  );

const flatness = (row: Float32Array): number => total(Array.from(softmaxRow(row), Math.log)) / row.length;
const marginTo = (row: Float32Array, y: number): number => Math.max(...row.filter((_, j) => j !== y)) - row[y];

describe("losses", () => {
  const COUNT = 24;

  test.each([
    [undefined, 0.5],
    [[1, -0.5, 2.5, -4], 0.5],
    [[1, -0.5, 2.5, -4], 3],
  ])(
    "slowdown ascends the capped scores by the work that gates save: thresholds %j, kappa %f",
    async (gates, kappa) => {
      const victim = gatedVictim({ gates });
      const samples = await gatedSamples(victim, COUNT);
      const logits = await run(victim.model, gatedImages(COUNT));
      const found = await evaluated(victim, { goal: "slowdown", radius: 0.1, gateKappa: kappa }, samples);
      found.forEach(({ loss }, i) => {
        expect(loss).toBeCloseTo(moved(logits, i, 1, kappa), 4);
      });
      const scores = logits.gates.flatMap(({ scores, threshold }) => [...scores].map((z) => z - threshold));
      expect(scores.filter((z) => z > kappa).length).toBeGreaterThan(5);
      expect(scores.filter((z) => z < kappa).length).toBeGreaterThan(5);
    },
  );

  test("a forced gate has no part in the loss", async () => {
    const victim = gatedVictim({ gates: [ALWAYS_OPEN, 0, ALWAYS_CLOSED, 0] });
    const samples = await gatedSamples(victim, COUNT);
    const logits = await run(victim.model, gatedImages(COUNT));
    const found = await evaluated(victim, { goal: "slowdown", radius: 0.1 }, samples);
    found.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(moved(logits, i, 1, 0.5, [1, 3]), 4);
    });
  });

  test("with exits, slowdown adds their flatness, and keepLabel the final margin with the weight of all", async () => {
    const victim = gatedVictim({ exits: [0, 2], thresholds: [0.9, 0.9] });
    const samples = await gatedSamples(victim, COUNT);
    const logits = await run(victim.model, gatedImages(COUNT));
    const plain = await evaluated(victim, { goal: "slowdown", radius: 0.1 }, samples);
    const kept = await evaluated(victim, { goal: "slowdown", radius: 0.1, keepLabel: true, keep: 0.7 }, samples);
    samples.forEach((sample, i) => {
      const loss = moved(logits, i, 1, 0.5) + flatness(logits.row(0, i)) + flatness(logits.row(1, i));
      expect(plain[i].loss).toBeCloseTo(loss, 4);
      const held = Math.min(-marginTo(logits.row(2, i), sample.label), 0.7);
      expect(kept[i].loss).toBeCloseTo(loss + 3 * held, 4);
    });
  });

  test("speed-up lowers the scores, and raises the margin of each exit and of the final one", async () => {
    const victim = gatedVictim({ exits: [1], thresholds: [0.9] });
    const samples = await gatedSamples(victim, COUNT);
    const logits = await run(victim.model, gatedImages(COUNT));
    for (const at of [0, 1]) {
      const found = await evaluated(victim, { goal: "speed-up", radius: 0.1, kappa: 2 }, samples, at);
      samples.forEach(({ label }, i) => {
        const margin = Math.min(marginTo(logits.row(at, i), label), 2);
        expect(found[i].loss).toBeCloseTo(margin + moved(logits, i, -1, 0.5), 4);
      });
    }
  });

  test("early:margin keeps the label of the full network and changes that of the routed one", async () => {
    const victim = gatedVictim();
    const samples = await gatedSamples(victim, COUNT);
    const logits = await runFull(victim.model, gatedImages(COUNT));
    const config = { goal: "early:margin", radius: 0.1, kappa: 1.5, keep: 0.8, weight: 3 };
    const found = await evaluated(victim, config, samples);
    samples.forEach((_, i) => {
      const full = logits.fullRow(i) as Float32Array;
      const y = argmax(full);
      const loss = Math.min(marginTo(logits.row(0, i), y), 1.5) + 3 * Math.min(-marginTo(full, y), 0.8);
      expect(found[i].loss).toBeCloseTo(loss, 4);
      found[i].full?.forEach((v, k) => {
        expect(v).toBeCloseTo(full[k], 4);
      });
    });
    const labels = samples.map(({ label }, i) => label === argmax(logits.fullRow(i) as Float32Array));
    expect(new Set(labels)).toEqual(new Set([true, false]));
  });

  test("early:published is the published loss of the full and the routed network", async () => {
    const victim = gatedVictim();
    const samples = (await gatedSamples(victim, COUNT)).map((s) => ({ ...s, pixels: s.pixels.slice() }));
    const logits = await runFull(victim.model, gatedImages(COUNT));
    const found = await evaluated(victim, { goal: "early:published", alpha: 0.3 }, samples);
    samples.forEach((_, i) => {
      const p = softmaxRow(logits.fullRow(i) as Float32Array);
      const y = p.indexOf(Math.max(...p));
      const keep = total(Array.from(p, (other) => Math.max(0, p[y] - other)));
      expect(found[i].loss).toBeCloseTo(-50 * (-0.3 * keep + softmaxRow(logits.row(0, i))[y]), 3);
    });
  });
});

/** What attacked images cost and answer, by the masked network alone. */
async function answersFor(
  victim: Victim,
  images: readonly Float32Array[],
): Promise<{ routed: Routed[]; costs: number[] }> {
  const routed = route(await run(victim.model, stacked(images)), victim.policy);
  return { routed, costs: routed.map((path) => costOf(victim.model, path)) };
}

/** What samples and their attacked images cost and answer. */
const bothFor = async (
  victim: Victim,
  samples: readonly Sample[],
  outcomes: readonly { readonly image: Float32Array }[],
) => ({
  clean: await answersFor(
    victim,
    samples.map(({ pixels }) => pixels),
  ),
  attacked: await answersFor(
    victim,
    outcomes.map(({ image }) => image),
  ),
});

const NETWORKS = [
  ["gates alone", { exits: [], thresholds: [] }],
  ["gates and exits", { exits: [0, 2], thresholds: [0.9, 0.9] }],
] as const;

describe.each(NETWORKS)("%s", (_name, options) => {
  const victim = gatedVictim(options);
  const full = victim.model.exits.at(-1)?.macs as number;
  const config = { goal: "slowdown", radius: 0.15, steps: 12, stepSize: 0.03 };
  const easier = { ...config, radius: 0.3, steps: 20, costShare: 0.2 };

  test.each([0.3, 0.5, 1])("slowdown succeeds exactly where the cost has risen by the share %f", async (share) => {
    const samples = await gatedSamples(victim, 20);
    const outcomes = await attackWith(victim, samples, { ...config, costShare: share }, { backend });
    const { clean, attacked } = await bothFor(victim, samples, outcomes);
    outcomes.forEach(({ success }, i) => {
      expect(success, `sample ${i}`).toBe(attacked.costs[i] >= clean.costs[i] + share * (full - clean.costs[i]));
    });
    expect(total(attacked.costs)).toBeGreaterThan(total(clean.costs));
    if (share < 0.5) expect(outcomes.some(({ success, eligible }) => success && eligible)).toBe(true);
  });

  test("a success survives rounding to 8 bits where the search ended early", async () => {
    const samples = await gatedSamples(victim, 20);
    const outcomes = await attackWith(victim, samples, easier, { backend });
    const early = outcomes.flatMap((o, i) => (o.success && o.eligible && o.spent.gradients < 20 ? [{ o, i }] : []));
    const clean = await answersFor(
      victim,
      samples.map(({ pixels }) => pixels),
    );
    const rounded = await answersFor(
      victim,
      early.map(({ o }) => toEightBits(o.image)),
    );
    early.forEach(({ i }, k) => {
      expect(rounded.costs[k]).toBeGreaterThanOrEqual(clean.costs[i] + 0.2 * (full - clean.costs[i]));
    });
    expect(early.length).toBeGreaterThan(0);
  });

  test("keepLabel holds the answer of the final exit", async () => {
    const samples = await gatedSamples(victim, 20);
    const outcomes = await attackWith(victim, samples, { ...easier, keepLabel: true }, { backend });
    const logits = await run(victim.model, stacked(outcomes.map(({ image }) => image)));
    const last = victim.model.exits.length - 1;
    const won = outcomes.flatMap(({ success }, i) => (success ? [i] : []));
    for (const i of won) expect(argmax(logits.row(last, i))).toBe(samples[i].label);
    expect(won.length).toBeGreaterThan(0);
  });

  test("speed-up closes gates or leaves early, with a wrong answer", async () => {
    const samples = await gatedSamples(victim, 20);
    const faster = { goal: "speed-up", radius: 0.3, steps: 25, costShare: 0.2 };
    const outcomes = await attackWith(victim, samples, faster, { backend });
    const { clean, attacked } = await bothFor(victim, samples, outcomes);
    const least = costOf(victim.model, { stop: 0, gates: victim.model.gates.map(() => 0) });
    outcomes.forEach(({ success }, i) => {
      const cheaper =
        attacked.costs[i] < clean.costs[i] && attacked.costs[i] <= clean.costs[i] - 0.2 * (clean.costs[i] - least);
      expect(success, `sample ${i}`).toBe(cheaper && attacked.routed[i].label !== samples[i].label);
    });
    expect(outcomes.some(({ success }) => success)).toBe(true);
  });

  test("early:margin: the full network keeps its label, and the routed answer is another", async () => {
    const samples = await gatedSamples(victim, 20);
    const early = { goal: "early:margin", radius: 0.3, steps: 25 };
    const outcomes = await attackWith(victim, samples, early, { backend });
    const logits = await runFull(victim.model, stacked(outcomes.map(({ image }) => image)));
    const { routed } = await answersFor(
      victim,
      outcomes.map(({ image }) => image),
    );
    outcomes.forEach(({ success }, i) => {
      const y = argmax(samples[i].full as Float32Array);
      expect(success, `sample ${i}`).toBe(argmax(logits.fullRow(i) as Float32Array) === y && routed[i].label !== y);
    });
    expect(outcomes.filter(({ success, eligible }) => success && eligible).length).toBeGreaterThan(0);
  });

  test.each(["straight-through", "best"])("same seed, same bytes, whatever the batch: gates %s", async (gates) => {
    const samples = await gatedSamples(victim, 6);
    const all = { ...config, gates, randomStart: true };
    const [one, many] = [
      await attackWith(victim, samples, all, { backend, batch: 1 }),
      await attackWith(victim, samples, all, { backend, batch: 64 }),
    ];
    expect(many.map(({ image, success }) => ({ image, success }))).toEqual(
      one.map(({ image, success }) => ({ image, success })),
    );
  });

  test("autoattack-dynamic keeps the image of the largest cost", async () => {
    const samples = await gatedSamples(victim, 3);
    const strong = {
      goal: "slowdown",
      method: "autoattack-dynamic",
      radius: 0.05,
      steps: 5,
      queries: 20,
      costShare: 1,
    };
    const outcomes = await attackWith(victim, samples, strong, { backend });
    const { clean, attacked } = await bothFor(victim, samples, outcomes);
    attacked.costs.forEach((cost, i) => {
      expect(cost).toBeGreaterThanOrEqual(clean.costs[i]);
    });
  });
});

describe("best", () => {
  const victim = gatedVictim();

  test("is at least as strong as each surrogate, and says which ones succeeded", async () => {
    const samples = await gatedSamples(victim, 24);
    const config = { goal: "misclassify:final", radius: 0.04, steps: 6 };
    const successes = async (gates: string) =>
      (await attackWith(victim, samples, { ...config, gates }, { backend })).map(({ success }) => success);
    const each = [await successes("hard"), await successes("straight-through"), await successes("soft")];
    const best = await attackWith(victim, samples, { ...config, gates: "best" }, { backend });
    best.forEach(({ success, reached }, i) => {
      expect(success).toBe(each.some((own) => own[i]));
      expect(reached).toEqual(each.map((own) => own[i]));
    });
    expect(new Set(best.map(({ success }) => success)).size).toBe(2);
  });
});

describe("refusals", () => {
  const none = victimOf(smallExits(), 0.6);
  const forced = gatedVictim({ gates: [ALWAYS_OPEN, ALWAYS_CLOSED, ALWAYS_OPEN, ALWAYS_CLOSED] });
  const config = (victim: Victim, entry: Omit<AttackConfig, "name">) => () =>
    configureAttack({ name: "t", radius: 0.1, ...entry }, victim);

  test("a network without gates takes no field about gates", () => {
    expect(config(none, { gates: "soft" })).toThrow(/attack "t", gates: small has no gates.*Remove "gates"/);
    expect(config(none, { goal: "slowdown", costShare: 0.5 })).toThrow(/costShare: small has no gates/);
    expect(configureAttack({ name: "t", goal: "slowdown", radius: 0.1 }, none).parameters).not.toHaveProperty(
      "gateKappa",
    );
  });

  test("a policy that forces every gate leaves nothing to slow", () => {
    for (const goal of ["slowdown", "speed-up", "early:margin", "early:published"])
      expect(config(forced, { goal, ...(goal === "early:published" ? { radius: undefined } : {}) })).toThrow(
        /the policy forces every gate of gated/,
      );
  });

  test("a network with a single exit and without gates has nothing to slow", () => {
    const plain = gatedVictim({ plain: [0, 1, 2, 3] });
    expect(config(plain, { goal: "slowdown" })).toThrow(/a single exit, and this attack needs early ones or gates/);
  });

  test.each(["tanh", "soft:0", "soft:x", "hard:2", "soft:1:2", ""])("gates %j is no surrogate", (gates) => {
    expect(config(gatedVictim(), { gates })).toThrow(/expected hard, straight-through, soft, best/);
  });

  test("a method that sees no gradient has no field gates", () => {
    expect(config(gatedVictim(), { method: "square", gates: "soft" })).toThrow(/has no parameter "gates"/);
  });

  test("an early attack needs the logits of the full network", async () => {
    const victim = gatedVictim();
    const samples = (await gatedSamples(victim, 1)).map(({ full: _, ...rest }) => rest);
    await expect(attackWith(victim, samples, { goal: "early:margin", radius: 0.1 }, { backend })).rejects.toThrow(
      /reads the logits of the full network/,
    );
  });
});

describe("the full network", () => {
  test("has every gate open that the policy does not force", async () => {
    const gates = [0, ALWAYS_CLOSED, 1, ALWAYS_OPEN];
    const victim = gatedVictim({ gates });
    const opened = gatedVictim({ gates: [ALWAYS_OPEN, ALWAYS_CLOSED, ALWAYS_OPEN, ALWAYS_OPEN] });
    const pixels = gatedImages(8);
    const [got, want] = [await run(openGates(victim.model), pixels), await run(opened.model, pixels)];
    got.exits[0].forEach((v, i) => {
      expect(v).toBeCloseTo(want.exits[0][i], 5);
    });
    expect(openGates(opened.model)).toBe(opened.model);
    expect(NAMES.full).toBe("dynn_full");
  });
});
