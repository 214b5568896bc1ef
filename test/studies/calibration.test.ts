import { describe, expect, test } from "vitest";
import { calibrationTables } from "../../src/cli/calibrate/tables.js";
import { Logits } from "../../src/core/logits.js";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { route } from "../../src/dynamic/route/route.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { renderCalibration } from "../../src/report/calibration/page.js";
import type { Backend, Session } from "../../src/runtime/backend.js";
import { type CalibrationOptions, calibrateModel } from "../../src/studies/calibration/index.js";
import { failure } from "../support/failure.js";
import { linearModel, samplesOf, smallExits } from "../support/models.js";

const model = smallExits();
const samples = await samplesOf(model, 90);

const dataOf = (chosen: typeof samples, name = "made"): Dataset => {
  const pixels = new Float32Array(chosen.length * 192);
  chosen.forEach((s, i) => pixels.set(s.pixels, i * 192));
  const labels = Int32Array.from(chosen, (s) => s.label);
  return inMemory({ name, shape: [3, 8, 8], classes: undefined, labels }, pixels);
};
const [validation, tested] = [samples.slice(0, 60), samples.slice(60)];

const options = (rest: Partial<CalibrationOptions> = {}): CalibrationOptions => ({
  model,
  backend: ortNode({ threads: 1 }),
  validation: dataOf(validation, "chosen on"),
  test: dataOf(tested, "reported"),
  rule: "max-softmax",
  fallback: "final",
  target: { kind: "rad", loss: 0.1 },
  thresholds: "uniform",
  temperature: false,
  seed: 1,
  batch: 16,
  version: "test",
  now: () => 0,
  ...rest,
});

describe("a calibration", () => {
  test("reports on test records what routing them under its policy gives", async () => {
    const { policy, record } = await calibrateModel(options({ thresholds: "per-exit", temperature: true }));
    const exits = model.exits.map((_, k) => Float32Array.from(tested.flatMap((s) => [...s.clean[k]])));
    const routed = route(new Logits(exits, model.classes), policy);
    expect(record.test.accuracy.value).toBe(routed.filter((r, i) => r.label === tested[i]?.label).length / 30);
    expect(record.test.exitCounts).toEqual([0, 1, 2].map((k) => routed.filter((r) => r.stop === k).length));
    expect(record.data.test).toEqual({ name: "reported", samples: 30 });
    expect(record.data.validation).toEqual({ name: "chosen on", samples: 60 });
    expect(record.policy).toEqual(policy);
  });

  test("chooses by validation records alone: other test records change nothing of the policy", async () => {
    const rest = { thresholds: "per-exit", temperature: true } as const;
    const one = await calibrateModel(options(rest));
    const other = await calibrateModel(options({ ...rest, test: dataOf(tested.slice(5, 9)) }));
    expect(other.policy).toEqual(one.policy);
    expect(other.record.validation).toEqual(one.record.validation);
    const elsewhere = await calibrateModel(options({ ...rest, validation: dataOf(samples.slice(30)) }));
    expect(elsewhere.policy).not.toEqual(one.policy);
  });

  test("fits temperatures that lower the likelihood loss of every exit on the records they were fitted on", async () => {
    const { record } = await calibrateModel(options({ temperature: true }));
    expect(record.policy.temperatures).toEqual(record.exits.map((e) => e.temperature));
    for (const { validation: v } of record.exits) expect(v.scaled?.nll).toBeLessThanOrEqual(v.plain.nll + 1e-9);
    const plain = await calibrateModel(options());
    expect(plain.record.policy.temperatures).toBeUndefined();
    expect(plain.record.exits.every((e) => e.validation.scaled === undefined)).toBe(true);
  });

  test("takes measured milliseconds as costs for a latency, and keeps it", async () => {
    const target = { kind: "latency", milliseconds: 3 } as const;
    const { record } = await calibrateModel(
      options({ target, times: { milliseconds: [1, 4, 6], roundSpread: undefined } }),
    );
    expect(record.costUnit).toBe("milliseconds");
    expect(record.validation.meanMilliseconds?.value).toBeLessThanOrEqual(3);
    expect(record.curves.uniform.at(-1)?.validation.cost).toBeLessThanOrEqual(6);
    expect(record.exits.map((e) => e.milliseconds)).toEqual([1, 4, 6]);
  });

  test("measures the times of exits where none are given, at a batch size", async () => {
    const target = { kind: "latency", milliseconds: 1e6 } as const;
    const sizes: unknown[] = [];
    const inner = ortNode({ threads: 1 });
    const compile: Backend["compile"] = async (graph) => {
      const session = await inner.compile(graph);
      const run: Session["run"] = (feeds) => {
        sizes.push(...Object.values(feeds).map(({ dims }) => dims[0]));
        return session.run(feeds);
      };
      return { ...session, run };
    };
    const given = options({ target, timeBatch: 3, backend: { ...inner, compile }, now: () => performance.now() });
    const { record } = await calibrateModel(given);
    const times = record.exits.map((e) => e.milliseconds ?? 0);
    expect(times).toHaveLength(3);
    expect(times[0]).toBeGreaterThan(0);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(record.steadiness?.roundSpread).toBeGreaterThanOrEqual(1);
    // 24 runs of 3 stages, on 3 images each.
    expect(sizes.filter((size) => size === 3).length).toBeGreaterThanOrEqual(24 * 3);
  });

  test("says how steady the machine was, and that times of a busy one are not to be trusted", async () => {
    const target = { kind: "latency", milliseconds: 3 } as const;
    const of = async (roundSpread: number) =>
      (await calibrateModel(options({ target, times: { milliseconds: [1, 4, 6], roundSpread } }))).record.steadiness;
    expect(await of(1.5)).toEqual({ roundSpread: 1.5, trusted: true });
    expect(await of(1.6)).toEqual({
      roundSpread: 1.6,
      trusted: false,
      warning:
        "The machine was busy: slow rounds took 1.6 times as long as fast ones. These times are not to be trusted. End other programs, use fewer threads than there are cores, and measure again.",
    });
  });

  test("is the same whatever the batch, and its curves rise", async () => {
    const [one, two] = [await calibrateModel(options({ batch: 7 })), await calibrateModel(options({ batch: 60 }))];
    expect(one.record.memory).toMatchObject({ batch: 7, chosen: false });
    expect({ ...one.record, memory: two.record.memory }).toEqual(two.record);
    const { uniform } = one.record.curves;
    for (const [i, p] of uniform.slice(1).entries())
      expect(p.validation.accuracy.value).toBeGreaterThan(uniform[i].validation.accuracy.value);
  });
});

describe("a bound under attack", () => {
  const attack = { name: "slow", objective: "slowdown", radius: 0.1, steps: 8 } as const;
  const target = { kind: "rad", loss: 0.9 } as const;

  test("on the cost holds against a fresh attack on the validation records, at a lower cost than without it", async () => {
    const free = await calibrateModel(
      options({ target: { kind: "rad", loss: 0.01 }, worstCase: { attack, maxCost: 1, samples: 20 } }),
    );
    expect(free.record.worstCase).toMatchObject({ attack: "slow", objective: "slowdown", rounds: 1, held: true });
    const bound = 0.6;
    expect(free.record.worstCase?.validation.meanCost.value).toBeGreaterThan(bound);
    const { record } = await calibrateModel(options({ target, worstCase: { attack, maxCost: bound, samples: 20 } }));
    expect(record.worstCase?.held).toBe(true);
    expect(record.worstCase?.validation.meanCost.value).toBeLessThanOrEqual(bound + 1e-9);
    expect([record.worstCase?.validation.samples, record.worstCase?.test.samples]).toEqual([20, 20]);
  });

  test("on the accuracy holds against a fresh attack on the validation records, at a higher cost than without it", async () => {
    const routed = { name: "routed", objective: "routed", radius: 0.02, steps: 8 } as const;
    const under = async (minAccuracy: number) => {
      const worstCase = { attack: routed, minAccuracy, samples: 40 };
      const { record } = await calibrateModel(options({ target, thresholds: "per-exit", worstCase }));
      return record;
    };
    const [free, bound] = [await under(0), await under(0.4)];
    expect(free.worstCase?.validation.accuracy.value).toBeLessThan(0.4);
    expect(bound.worstCase).toMatchObject({ minAccuracy: 0.4, held: true });
    expect(bound.worstCase?.maxCost).toBeUndefined();
    expect(bound.worstCase?.validation.accuracy.value).toBeGreaterThanOrEqual(0.4);
    expect(bound.validation.meanCostFraction.value).toBeGreaterThan(free.validation.meanCostFraction.value);
  });

  test("says where gradients vanished, and that there was nothing to attack", async () => {
    const large = new Map(
      [...model.source.initializers].map(([name, t]) => [
        name,
        name.startsWith("head")
          ? fromNumbers(
              "float32",
              t.dims,
              [...toNumbers(t)].map((v) => 1e5 * v),
            )
          : t,
      ]),
    );
    const saturated = dynamicModel({ graph: { ...model.source, initializers: large }, metadata: new Map() });
    const step = { name: "step", objective: "routed", radius: 1e-4, steps: 2 } as const;
    const worstCase = { attack: step, minAccuracy: 0, samples: 20 };
    const { record } = await calibrateModel(options({ model: saturated, target, worstCase }));
    const { validation: v, test: t, retriedOnMargins } = record.worstCase ?? {};
    expect(retriedOnMargins).toBe(true);
    expect(v?.vanishedGradients).toBeGreaterThan(5);
    const warning = `step, test: the gradient was 0 or below float32's resolution at ${t?.vanishedGradients} of 20 samples. They were attacked again`;
    expect(calibrationTables(record)).toContain(`Warning: ${warning}`);
    expect(renderCalibration(record)).toContain(warning.replaceAll("'", "&#39;"));

    const wrong = (data: Dataset): Dataset => ({ ...data, labels: data.labels.map((label) => (label + 1) % 4) });
    const [one, two] = [wrong(options().validation), wrong(options().test)];
    const none = await calibrateModel(
      options({
        validation: one,
        test: two,
        target,
        worstCase: { ...worstCase, attack: { ...step, objective: "misclassify:final" } },
      }),
    );
    expect(none.record.worstCase?.test.nothingToAttack).toBe("no sample was right when clean");
    expect(calibrationTables(none.record)).toContain("step, test: nothing to attack, no sample was right when clean.");
  });

  test("that no thresholds keep beside the target is refused", async () => {
    const worstCase = { attack, maxCost: model.exits[0].costFraction + 1e-3, samples: 20 };
    await expect(calibrateModel(options({ target: { kind: "rad", loss: 0.001 }, worstCase }))).rejects.toThrow(
      /under attack at .* \[policy\/validation\]/,
    );
  });
});

describe("a calibration is refused", () => {
  test("for a network with one exit", async () => {
    const single = linearModel([[1], [-1]], [0, 0]);
    await expect(calibrateModel(options({ model: single }))).rejects.toThrow(
      failure(
        "policy/validation",
        "linear: the model has a single exit, so there is no threshold to choose. Give it early exits with `dynn convert`.",
      ),
    );
  });

  test("for times that are not one for each exit", async () => {
    const target = { kind: "latency", milliseconds: 1 } as const;
    await expect(
      calibrateModel(options({ target, times: { milliseconds: [1], roundSpread: undefined } })),
    ).rejects.toThrow(
      failure(
        "policy/validation",
        "small: got 1 time, expected one for each of its 3 exits. Measure them with timeExits, or leave them out.",
      ),
    );
  });
});
