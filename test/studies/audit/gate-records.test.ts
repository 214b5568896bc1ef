/** @file What the record of an audit says of attacks on gates: recovery, changed gates, the full network, and signs of gradients that
 *  mislead. */
import { describe, expect, test } from "vitest";
import { presetConfigs } from "../../../src/attacks/presets.js";
import { auditTables } from "../../../src/cli/audit/tables.js";
import { type Dataset, inMemory } from "../../../src/data/dataset.js";
import { costOf } from "../../../src/dynamic/model/units.js";
import { route } from "../../../src/dynamic/route/route.js";
import { renderAudit } from "../../../src/report/audit/page.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN, type Policy } from "../../../src/schema/policy.js";
import { recoveryOf } from "../../../src/studies/audit/gates.js";
import { audit } from "../../../src/studies/audit/index.js";
import { CLASSES, gatedImages, gatedModel } from "../../support/gated.js";
import { backend, run, runFull } from "../../support/gated-attacks.js";

const COUNT = 16;
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7 + 3) % CLASSES);
const data: Dataset = inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, gatedImages(COUNT));
const model = gatedModel();
const policyWith = (gates?: readonly number[]): Policy => ({
  rule: "max-softmax",
  thresholds: [],
  fallback: "final",
  ...(gates ? { gates: { thresholds: gates } } : {}),
});
type Attacks = Parameters<typeof audit>[0]["attacks"];
const audited = (attacks: Attacks, policy = policyWith()) =>
  audit({
    ...{ model, backend, data, seed: 5, batch: 8, version: "test", now: () => 0, attacks },
    policy: { kind: "fixed", policy },
  });
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("recovery", () => {
  test("is the share of the saved work that comes back, between its bounds", () => {
    const { recovery } = recoveryOf([2, 4, 6, 8], [4, 8, 6, 10], 10);
    expect(recovery?.value).toBeCloseTo((7 - 5) / (10 - 5), 12);
    expect(recovery?.low).toBeLessThan(0.4);
    expect(recovery?.high).toBeGreaterThan(0.4);
    expect(recoveryOf([2, 4], [10, 10], 10).recovery).toEqual({ value: 1, low: 1, high: 1 });
    expect(recoveryOf([6, 6], [2, 2], 10).recovery?.value).toBe(-1);
  });

  test("is undefined where nothing is saved, nothing can move, or nobody was attacked", () => {
    expect(recoveryOf([10, 10], [10, 10], 10)).toEqual({
      recovery: null,
      noRecovery: "every clean sample already costs as much as the full network",
    });
    expect(recoveryOf([5], [5], undefined).noRecovery).toBe("the policy forces every gate");
    expect(recoveryOf([], [], 10).noRecovery).toBe("no sample was attacked");
  });

  test("and the share of changed gates follow from the images of the audit", async () => {
    const { record, adversarial } = await audited([{ name: "slow", goal: "slowdown", radius: 0.1, steps: 8 }]);
    const [attack] = record.attacks;
    const paths = async (pixels: Float32Array) => route(await run(model, pixels), policyWith());
    const [before, after] = [await paths(gatedImages(COUNT)), await paths(adversarial.get("slow") as Float32Array)];
    const cost = (of: typeof before) => mean(of.map((path) => costOf(model, path)));
    const full = model.exits[0].macs;
    expect(attack.gates?.recovery?.value).toBeCloseTo((cost(after) - cost(before)) / (full - cost(before)), 9);
    const changed = after.flatMap(({ gates = [] }, i) => gates.map((bit, k) => Number(bit !== before[i].gates?.[k])));
    expect(attack.gates?.changed).toBeCloseTo(mean(changed), 9);
    expect(attack.gates?.changed).toBeGreaterThan(0);
    expect(attack.parameters).toMatchObject({ gates: "straight-through", costShare: 0.5, gateKappa: 0.5 });
    expect(auditTables(record)).toContain("recovery %");
    expect(renderAudit(record)).toContain("The effect of each attack on gates.");
  });

  test("says why it is undefined in tables: all gates are forced open", async () => {
    const all = policyWith(model.gates.map(() => ALWAYS_OPEN));
    const { record } = await audited([{ name: "pgd", goal: "misclassify:final", radius: 0.02, steps: 2 }], all);
    expect(record.attacks[0].gates).toEqual({ changed: 0, recovery: null, noRecovery: "the policy forces every gate" });
    expect(auditTables(record)).toContain("Recovery is undefined where the policy forces every gate.");
    expect(renderAudit(record)).toContain("undefined: the policy forces every gate");
  });
});

describe("the early attack", () => {
  test("states the accuracy of the full network, clean and attacked, and the clean disagreement", async () => {
    const { record, adversarial } = await audited([{ name: "early", goal: "early:margin", radius: 0.2, steps: 15 }]);
    const early = record.attacks[0].early;
    const clean = await runFull(model, gatedImages(COUNT));
    const attacked = await runFull(model, adversarial.get("early") as Float32Array);
    const labelOf = (row: Float32Array | undefined) => row?.indexOf(Math.max(...row)) ?? -1;
    const all = [...Array(COUNT).keys()];
    const share = (test: (i: number) => boolean) => all.filter(test).length / COUNT;
    const full = (i: number) => labelOf(clean.fullRow(i));
    expect(early?.full?.accuracy.value).toBe(share((i) => full(i) === labels[i]));
    expect(early?.full?.attacked.value).toBe(share((i) => labelOf(attacked.fullRow(i)) === labels[i]));
    expect(early?.full?.disagreement.value).toBe(share((i) => full(i) !== labelOf(clean.row(0, i))));
    const changes = (i: number) => labelOf(attacked.fullRow(i)) === full(i) && labelOf(attacked.row(0, i)) !== full(i);
    expect(early?.firing.value).toBe(share(changes));
    expect(early?.firing.value).toBeGreaterThan(0);
    expect(auditTables(record)).toContain("full network");
    expect(renderAudit(record)).toContain("whose label an early attack keeps");
  });
});

describe("signs of a gradient that misleads", () => {
  test("a record of best says which surrogates succeeded only where they differ by much", async () => {
    const { record } = await audited([
      { name: "best", goal: "slowdown", radius: 0.1, steps: 6, gates: "best" },
      { name: "hard", goal: "slowdown", radius: 0.1, steps: 6, gates: "hard" },
    ]);
    const [best, hard] = record.attacks;
    expect(best.successes).toBeGreaterThanOrEqual(hard.successes);
    for (const { share } of best.health.filter(({ flag }) => flag === "surrogates-disagree"))
      expect(share).toBeGreaterThan(0);
  });
});

describe("refusals of an audit", () => {
  test("a policy that forces every gate leaves nothing to slow, before any work", async () => {
    const forced = policyWith(model.gates.map(() => ALWAYS_CLOSED));
    await expect(audited([{ name: "slow", goal: "slowdown", radius: 0.1 }], forced)).rejects.toThrow(
      /the policy forces every gate/,
    );
  });

  test("presets on gates need gates", () => {
    expect(() => presetConfigs(["ilfo"], { epsilon: 0.1, earlyExits: 3 })).toThrow(
      /no gates, and this attack needs gates/,
    );
    expect(presetConfigs(["ilfo", "gradmdm-linf"], { epsilon: 0.1, earlyExits: 0, gates: 2 })).toMatchObject([
      { method: "ilfo", norm: "l2", samples: 48 },
      { method: "gradmdm", norm: "linf", radius: 0.1 },
    ]);
  });
});
