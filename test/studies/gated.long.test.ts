/** @file Networks with gates in audits, transfers, calibrations and profiles, with early exits and without. Every number is counted again from
 *  routed answers. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { auditTables } from "../../src/cli/audit/tables.js";
import { calibrationTables } from "../../src/cli/calibrate/tables.js";
import { profileTables } from "../../src/cli/profile/tables.js";
import { Images } from "../../src/core/images.js";
import type { Logits } from "../../src/core/logits.js";
import { present } from "../../src/core/present.js";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { readNpy } from "../../src/data/npy.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { costShareOf } from "../../src/dynamic/model/units.js";
import { type Routed, route } from "../../src/dynamic/route/route.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { spearman } from "../../src/measures/statistics/index.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { renderAudit } from "../../src/report/audit/page.js";
import { skippingWords } from "../../src/report/audit/skipping-words.js";
import { renderCalibration } from "../../src/report/calibration/page.js";
import { renderProfile } from "../../src/report/profile/page.js";
import type { Policy } from "../../src/schema/policy.js";
import type { DataRef } from "../../src/schema/study/references.js";
import { type AuditOptions, audit } from "../../src/studies/audit/index.js";
import { calibrateModel } from "../../src/studies/calibration/index.js";
import { profile } from "../../src/studies/profile/index.js";
import { answersTask, policyTask } from "../../src/studies/tasks/common.js";
import { InProcess } from "../../src/studies/tasks/in-process.js";
import { GATES_FILE, LOGITS_FILE, logitsOf } from "../../src/studies/tasks/kinds/answers.js";
import { POLICY_FILE, readPolicy } from "../../src/studies/tasks/kinds/policy.js";
import { memoryStore } from "../../src/studies/tasks/memory-store.js";
import { CommandPlan } from "../../src/studies/tasks/plan.js";
import { runTask } from "../../src/studies/tasks/run.js";
import { TASK_KINDS } from "../../src/studies/tasks/table.js";
import { transfer } from "../../src/studies/transfer/index.js";
import { CLASSES, gatedImages, gatedModel } from "../support/gated.js";

const backend = ortNode({ threads: 1 });

const dataOf = (count: number, seed: number): Dataset => {
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7 + seed) % CLASSES);
  return inMemory({ name: `made${seed}`, shape: [3, 8, 8], classes: undefined, labels }, gatedImages(count, seed));
};
const data = dataOf(24, 3);
const validation = dataOf(40, 11);

const OTHER: Policy = { rule: "entropy", thresholds: [0.3], fallback: "final", gates: { thresholds: [0, 0.2, -1, 2] } };

const NETWORKS = [
  ["gates alone", [], []],
  ["gates and exits", [0, 2], [0.97, 0.9]],
] as const;

const routedUnder = async (exits: readonly number[], policy: Policy, on: Dataset = data): Promise<Routed[]> =>
  route(await logitsUnder(exits, policy, on), policy);

async function logitsUnder(exits: readonly number[], policy: Policy, on: Dataset): Promise<Logits> {
  const model = underPolicy(gatedModel({ exits }), policy);
  const forward = await Forward.compile(model, { backend });
  const pixels = new Float32Array(on.count * 192);
  await on.read([...Array(on.count).keys()], pixels);
  const logits = await forward.logits(Images.for(model, pixels), { batch: 8 });
  await forward.release();
  return logits;
}

const shares = (exits: readonly number[], routed: readonly Routed[]): number[] => {
  const model = gatedModel({ exits });
  return routed.map((path) => costShareOf(model, path));
};
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test("a network without gates has no such measures, and an audit refuses a baseline of other images", async () => {
  const still = gatedModel({ plain: [0, 1, 2, 3] });
  const options = { backend, data, seed: 5, batch: 8, version: "test", now: () => 0, attacks: [] };
  const policy = { kind: "fixed", policy: { rule: "max-softmax", thresholds: [], fallback: "final" } } as const;
  const { record } = await audit({ ...options, policy, model: still });
  expect(record.clean).not.toHaveProperty("skipping");
  expect(renderAudit(record)).not.toContain('id="blocks"');
  expect(auditTables(record)).not.toContain("blocks");
  const attacked = await audit({
    ...options,
    policy,
    model: still,
    perSample: true,
    attacks: [{ name: "pgd", radius: 0.01, steps: 1 }],
  });
  expect(attacked.rows[0]).not.toHaveProperty("gates");
  expect(attacked.record.attacks[0].perSample?.[0]).not.toHaveProperty("gates");
  const other = { ...still, name: "other", classes: CLASSES + 1 };
  await expect(audit({ ...options, policy, model: gatedModel(), baseline: other })).rejects.toThrow(
    "baseline other: takes images [3,8,8] and 5 classes, but gated takes images [3,8,8] and 4 classes. Give a baseline",
  );
});

describe.each(NETWORKS)("%s", (_name, exits, thresholds) => {
  const model = gatedModel({ exits });
  const policy: Policy = { rule: "max-softmax", thresholds, fallback: "final", gates: { thresholds: [0.5, 0, 1, -2] } };
  const options = (rest: Partial<AuditOptions> = {}): AuditOptions => ({
    ...{ model, backend, data, seed: 5, batch: 8, version: "test", now: () => 0 },
    policy: { kind: "fixed", policy },
    attacks: [
      { name: "pgd", goal: "misclassify:final", method: "pgd", radius: 0.03, steps: 4 },
      { name: "walk", goal: "misclassify:final", method: "cost-walk", radius: 0.05, queries: 6, samples: 4 },
    ],
    ...rest,
  });

  test("an audit counts paths, bits and costs of the routed answers", async () => {
    const { record } = await audit(options());
    const routed = await routedUnder(exits, policy);
    const costs = shares(exits, routed);
    expect(record.clean.routed.meanCostFraction).toBeCloseTo(mean(costs), 12);
    expect(record.clean.efficacyStep).toBeCloseTo(1 - mean(costs), 12);
    expect(record.clean.routed.gates).toEqual(policy.gates);
    const met = (k: number) => routed.flatMap(({ gates }) => gates?.[k] ?? []);
    expect(record.clean.routed.paths?.openRates).toEqual(
      model.gates.map((_, k) => (met(k).length === 0 ? null : mean(met(k)))),
    );
    expect(record.clean.routed.paths?.distinct).toBe(
      new Set(routed.map((r) => JSON.stringify([r.stop, r.gates]))).size,
    );
    expect(record.clean.routed.paths?.costs.reduce((sum, { samples }) => sum + samples, 0)).toBe(24);
    expect(record.model.gates?.map(({ macs }) => macs)).toEqual(model.gates.map(({ macs }) => macs));
    expect(record.attacks[0].routed.paths?.openRates).toHaveLength(4);
    expect(record.attacks[0].efficacyStep).toBeCloseTo(1 - record.attacks[0].routed.meanCostFraction, 12);
  });

  test("an audit measures what the gates did, and whether cost follows difficulty", async () => {
    const many = dataOf(120, 8);
    const policyOpen = { ...policy, gates: { thresholds: model.gates.map(() => -1e9) } };
    const static1 = { ...gatedModel({ plain: [0, 1, 2, 3] }), name: "still" };
    const { record } = await audit(options({ attacks: [], data: many, baseline: static1 }));
    const routed = await routedUnder(exits, policy, many);
    const costs = shares(exits, routed);
    const { executed, byClass, pathEntropy, dynamicShare, difficulty, answers } = present(
      record.clean.skipping,
      "gates",
    );
    const open = routed.map(({ gates = [] }) => gates.reduce((sum: number, bit) => sum + (bit ?? 0), 0));
    expect(executed.counts).toEqual([0, 1, 2, 3, 4].map((n) => open.filter((one) => one === n).length));
    expect(executed.mean).toBeCloseTo(mean(open), 12);
    for (const { label, samples, openRates, meanCostFraction } of byClass) {
      const own = routed.filter((_, i) => many.labels[i] === label);
      expect(samples).toBe(own.length);
      expect(meanCostFraction).toBeCloseTo(mean(shares(exits, own)), 12);
      const bits = own.flatMap(({ gates }) => gates?.[2] ?? []);
      expect(openRates[2]).toBe(bits.length === 0 ? null : mean(bits));
    }
    expect(byClass).toHaveLength(CLASSES);
    const seen = new Map<string, number>();
    for (const { stop, gates } of routed) {
      const path = JSON.stringify([stop, gates]);
      seen.set(path, (seen.get(path) ?? 0) + 1);
    }
    expect(pathEntropy).toBeCloseTo(
      [...seen.values()].reduce((sum, n) => sum + (n / 120) * Math.log2(120 / n), 0),
      10,
    );
    const rates = record.clean.routed.paths?.openRates ?? [];
    expect(dynamicShare).toBe(rates.filter((rate) => rate !== null && rate > 0.02 && rate < 0.98).length / 4);
    expect(difficulty.map(({ reference }) => reference)).toEqual(["all gates open", "still"]);
    // All gates open is the network without gates, because their weights are the same.
    expect({ ...difficulty[0], reference: "still" }).toEqual(difficulty[1]);
    const whole = await logitsUnder(exits, policyOpen, many);
    const last = whole.exits.length - 1;
    const margins = routed.map((_, i) => {
      const row = [...whole.row(last, i)];
      const [own] = row.splice(many.labels[i], 1);
      return own - Math.max(...row);
    });
    expect(difficulty[0].margin?.value).toBeCloseTo(
      spearman(
        costs,
        margins.map((m) => -m),
      ),
      12,
    );
    const easiest = [...margins.keys()].sort((a, b) => margins[b] - margins[a]).slice(0, 30);
    expect(difficulty[0].quarters[0]).toEqual({
      samples: 30,
      meanCostFraction: expect.closeTo(mean(easiest.map((i) => costs[i])), 12),
      accuracy: easiest.filter((i) => routed[i].label === many.labels[i]).length / 30,
    });
    const costOf = (is: boolean) => mean(costs.filter((_, i) => (routed[i].label === many.labels[i]) === is));
    expect(answers.right).toBeCloseTo(costOf(true), 12);
    expect(answers.wrong).toBeCloseTo(costOf(false), 12);
    expect(answers.difference?.value).toBeCloseTo(costOf(false) - costOf(true), 12);
  });

  test("rows and entries per sample carry bits and costs before and after the attack", async () => {
    const { record, rows, adversarial } = await audit(options({ perSample: true }));
    const clean = await routedUnder(exits, policy);
    const shown = inMemory({ ...data, shape: [3, 8, 8] }, present(adversarial.get("pgd"), "images"));
    const attacked = await routedUnder(exits, policy, shown);
    const text = ({ gates = [] }: Routed) => gates.map((bit) => (bit === undefined ? "-" : String(bit))).join("");
    const own = rows.filter(({ attack }) => attack === "pgd");
    expect(own).toMatchObject(
      attacked.map((path, i) => ({
        ...{ cleanGates: text(clean[i]), gates: text(path) },
        cleanCostFraction: shares(exits, [clean[i]])[0],
        costFraction: shares(exits, [path])[0],
      })),
    );
    expect(record.attacks[0].perSample).toMatchObject(
      attacked.map((path) => ({ gates: text(path), costFraction: shares(exits, [path])[0] })),
    );
    expect(new Set(attacked.map(text)).size).toBeGreaterThan(2);
  });

  test("an audit chooses thresholds of exits and gates on validation records", async () => {
    const { record } = await audit(
      options({
        attacks: [],
        policy: {
          ...{ kind: "calibrated", rule: "max-softmax", fallback: "final", validation },
          target: { kind: "budget", cost: 0.5 },
        },
      }),
    );
    const { rule, fallback, thresholds: chosen, gates } = record.clean.routed;
    const found = shares(exits, await routedUnder(exits, { rule, fallback, thresholds: chosen, gates }, validation));
    expect(mean(found)).toBeLessThanOrEqual(0.5 + 1e-9);
    expect(gates?.thresholds).toHaveLength(4);
  });

  test("its tables and its report name the gates", async () => {
    const { record, gallery } = await audit(options());
    const tables = auditTables(record);
    expect(tables).toContain("block2");
    expect(tables).toContain("gates 0.5, 0, 1, -2");
    const page = renderAudit(record, { gallery });
    expect(page).toContain("block2");
    const { document } = parseHTML(page);
    const blocks = document.querySelector("#blocks");
    expect(blocks?.querySelectorAll(".chart")).toHaveLength(3);
    const [mapped] = [...(blocks?.querySelectorAll("details table tbody tr") ?? [])];
    const [{ label, samples, openRates }] = present(record.clean.skipping, "gates").byClass;
    expect([...mapped.children].map(({ textContent }) => textContent?.replaceAll("\u00a0", " "))).toEqual([
      ...[`class ${label}`, String(samples), expect.any(String), expect.any(String)],
      ...openRates.map((rate) => (rate === null ? "–" : `${Math.round(100 * rate)} %`)),
    ]);
    expect(tables).toContain(skippingWords(record)[0][1]);
  });

  test("a calibration reports on test records what routing them under its policy gives", async () => {
    for (const target of [
      { kind: "rad", loss: 0.2 },
      { kind: "budget", cost: 0.6 },
      { kind: "latency", milliseconds: 0.7 },
    ] as const) {
      const { policy: found, record } = await calibrateModel({
        ...{
          model,
          backend,
          validation,
          test: data,
          rule: "max-softmax",
          fallback: "final",
          target,
          thresholds: "uniform",
        },
        ...{ temperature: false, seed: 1, batch: 16, version: "test", now: () => 0 },
        ...(target.kind === "latency"
          ? { times: { milliseconds: model.exits.map((e) => e.costFraction), roundSpread: undefined } }
          : {}),
      });
      const routed = await routedUnder(exits, found);
      expect(record.test.meanCostFraction.value).toBeCloseTo(mean(shares(exits, routed)), 12);
      expect(record.test.accuracy.value).toBe(routed.filter((r, i) => r.label === data.labels[i]).length / 24);
      expect(record.test.openRates).toHaveLength(4);
      expect(record.policy).toEqual(found);
      const [first] = record.curves.uniform;
      const at = { ...found, thresholds: first.thresholds, gates: first.gates };
      expect(first.test.cost).toBeCloseTo(mean(shares(exits, await routedUnder(exits, at))), 12);
      if (target.kind === "latency")
        expect(record.validation.meanMilliseconds?.value).toBeCloseTo(record.validation.meanCostFraction.value, 1);
      expect(calibrationTables(record)).toContain("gates");
      expect(renderCalibration(record)).toContain("block2");
    }
  });

  test("a transfer counts the cost of each network by its paths", async () => {
    const { networks, attacks } = await transfer({
      ...{ backend, data, seed: 5, batch: 8, version: "test", now: () => 0 },
      networks: [
        { model, policy: { kind: "fixed", policy } },
        { model: { ...gatedModel({ exits: [1] }), name: "other" }, policy: { kind: "fixed", policy: OTHER } },
      ],
      attacks: [{ name: "pgd", radius: 0.03, steps: 2 }],
    });
    const routed = await routedUnder(exits, policy);
    expect(networks[0].meanCostFraction).toBeCloseTo(mean(shares(exits, routed)), 12);
    expect(networks[0].policy.gates).toEqual(policy.gates);
    expect(networks[1].meanCostFraction).toBeCloseTo(mean(shares([1], await routedUnder([1], OTHER))), 12);
    expect(attacks[0].success.map((row) => row.length)).toEqual([2, 2]);
  });

  test("tasks in a store of files leave the policy and the gates that tasks in one process leave", async () => {
    const run = new InProcess({ backend, kinds: TASK_KINDS, version: "test", now: () => 0 });
    const target = { kind: "budget", cost: 0.5 } as const;
    const choice = { kind: "calibrated", rule: "max-softmax", fallback: "final", target, validation } as const;
    const plan = new CommandPlan();
    const reported = run.data(data);
    const planned = await run.planned(model, choice, reported);
    const chosen = policyTask(plan, planned, "validation images");
    const answers = plan.add(answersTask(planned, reported, { policy: chosen }));
    await run.all(plan);
    const store = memoryStore();
    const context = {
      ...{ backend, version: "test", now: () => 0, network: async () => model },
      data: async ({ name }: DataRef) => (name === data.name ? data : validation),
      trainingData: () => Promise.reject(new Error("no task trains")),
    };
    for (const { key, task } of plan.graph.all()) await runTask(key, task, store, context);
    const file = async (key: string, name: string) => store.file(present(await store.manifest(key), key), name);
    const policyFound = readPolicy(await file(chosen, POLICY_FILE));
    expect(policyFound).toEqual(run.policy(chosen));
    const gates = readNpy(await file(answers, GATES_FILE), GATES_FILE);
    const logits = logitsOf(readNpy(await file(answers, LOGITS_FILE), LOGITS_FILE), { gates });
    expect(route(logits, policyFound)).toEqual(await routedUnder(exits, policyFound));
    expect(route(run.measured(answers).logits, policyFound)).toEqual(await routedUnder(exits, policyFound));
    await run.release();
  });

  test("a profile counts the MACs of each point by its paths", async () => {
    const record = await profile({
      ...{ model: gatedModel({ exits, policy }), backend, data, validation, rules: ["max-softmax"], fallback: "final" },
      ...{ batches: [8], rounds: 1, seed: 1, version: "test", now: () => performance.now() },
      machine: { cpu: "made", cores: 1, runtime: "test", engine: "test", threads: 1, load: 0 },
    });
    const own = record.points.find(({ name }) => name.includes("own policy"));
    const macs = model.exits[model.exits.length - 1].macs;
    expect(own?.meanMacs).toBeCloseTo(mean(shares(exits, await routedUnder(exits, policy))) * macs, 6);
    expect(own?.gates).toEqual(policy.gates);
    const met = (await routedUnder(exits, policy)).flatMap(({ gates }) => gates?.[1] ?? []);
    expect(own?.openRates?.[1]).toBe(met.length === 0 ? null : mean(met));
    const panels = parseHTML(renderProfile(record)).document.querySelectorAll("#gates figure");
    expect(panels).toHaveLength(record.points.filter(({ kind }) => kind === "chosen").length);
    expect(panels[0].textContent).toMatch(/cost [\d.]+.%; time [\d.]+.% at batch 8/);
    const heads = exits.map((k) => (k === 2 ? 8 : 6) * CLASSES).reduce((sum, macs: number) => sum + macs, 0);
    expect(record.static.macs).toBe(macs - 26 - heads);
    expect(record.points.filter(({ name }) => name.startsWith("budget"))).toHaveLength(1);
    expect(profileTables(record)).toContain("gates 0.5, 0, 1, -2");
  });
});

test("gates keep a bound on the accuracy under an attack, and the attacks of earlier rounds count", async () => {
  const calibrated = (worst: object) =>
    calibrateModel({
      ...{ model: gatedModel(), backend, validation, test: data, seed: 5, batch: 8, version: "test", now: () => 0 },
      ...{ rule: "max-softmax", fallback: "final", thresholds: "uniform", temperature: false },
      ...{ target: { kind: "rad", loss: 0.9 }, ...worst },
    });
  const attack = { name: "pgd", radius: 0.5, steps: 8, stepSize: 0.2, gates: "hard" };
  const free = await calibrated({});
  const { record } = await calibrated({ worstCase: { attack, samples: 20, minAccuracy: 0.05 } });
  expect(record.worstCase).toMatchObject({ rounds: 2, held: true });
  expect(record.worstCase?.validation.accuracy.value).toBeGreaterThanOrEqual(0.05);
  // The attack drives the accuracy of the first policy to 0, so another one is chosen.
  expect(record.policy.gates).not.toEqual(free.policy.gates);
  expect(record.validation.meanCostFraction.value).toBeGreaterThan(free.record.validation.meanCostFraction.value);
});
