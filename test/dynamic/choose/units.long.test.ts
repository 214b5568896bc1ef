/** @file The choice of exits and gates together, against brute force over every offset and threshold. */
import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { outcomesAt } from "../../../src/dynamic/choose/calibrate.js";
import { calibrateUnits } from "../../../src/dynamic/choose/calibrate-units.js";
import { underPolicy } from "../../../src/dynamic/model/under-policy.js";
import { costShareOf } from "../../../src/dynamic/model/units.js";
import { route } from "../../../src/dynamic/route/route.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { GatedRuns, measuredUnits, unitShares } from "../../../src/dynamic/run/gated-runs.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { ALWAYS_OPEN, type Policy } from "../../../src/schema/policy.js";
import type { CalibrationTarget } from "../../../src/schema/target.js";
import { CLASSES, gatedImages, gatedModel } from "../../support/gated.js";

const backend = ortNode({ threads: 1 });
const COUNT = 60;
const FRAME = { rule: "max-softmax", fallback: "final" } as const;

/** Labels that the network's final exit gives, but for every fifth. */
async function labelled(exits: readonly number[]) {
  const model = gatedModel({ exits });
  const images = Images.for(model, gatedImages(COUNT, 11));
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(images, { batch: COUNT });
  await forward.release();
  const never = new Array<number>(exits.length).fill(2);
  const routed = route(logits, { ...FRAME, thresholds: never });
  const labels = Int32Array.from(routed, ({ label }, i) => (i % 5 === 0 ? (label + 1) % CLASSES : label));
  return { model, images, labels, own: routed.filter((r, i) => r.label === labels[i]).length / COUNT };
}

/** Accuracy and mean cost of a policy, by routing every image. */
async function routedAt({ model, images, labels }: Awaited<ReturnType<typeof labelled>>, policy: Policy) {
  const forward = await Forward.compile(underPolicy(model, policy), { backend });
  const routed = route(await forward.logits(images, { batch: COUNT }), policy);
  await forward.release();
  return {
    accuracy: routed.filter((r, i) => r.label === labels[i]).length / COUNT,
    cost: routed.reduce((sum, path) => sum + costShareOf(model, path), 0) / COUNT,
  };
}

async function chosen(on: Awaited<ReturnType<typeof labelled>>, target: CalibrationTarget, thresholds?: "per-exit") {
  const runs = new GatedRuns(on.model, backend);
  const request = { ...FRAME, ...unitShares(on.model), gates: on.model.gates.length, target, thresholds };
  try {
    return await calibrateUnits(measuredUnits(runs, on, { batch: 16 }), request);
  } finally {
    await runs.release();
  }
}

describe.each([
  ["gates alone", []],
  ["gates and exits", [0, 2]],
] as const)("%s", (_name, exits) => {
  test("the point of the chosen policy is what routing under it gives", async () => {
    const on = await labelled(exits);
    for (const target of [
      { kind: "rad", loss: 0.1 },
      { kind: "budget", cost: 0.6 },
    ] as const)
      for (const kind of [undefined, "per-exit"] as const) {
        const { policy, point } = await chosen(on, target, kind);
        const found = await routedAt(on, policy);
        expect(policy.gates?.thresholds).toHaveLength(4);
        expect(found.accuracy).toBeCloseTo(point.accuracy, 12);
        expect(found.cost).toBeCloseTo(point.cost, 12);
        if (target.kind === "rad") expect(found.accuracy).toBeGreaterThanOrEqual(0.9 * on.own - 1e-9);
        else expect(found.cost).toBeLessThanOrEqual(0.6 + 1e-9);
      }
  });

  test("no other offset with one threshold for all exits is cheaper for the same accuracy", async () => {
    const on = await labelled(exits);
    const { point, uniform } = await chosen(on, { kind: "rad", loss: 0.1 });
    expect(new Set(uniform.map(({ gates }) => gates?.[0])).size).toBeGreaterThan(2);
    let tried = 0;
    for (const offset of new Set(uniform.map(({ gates }) => gates?.[0] ?? 0)))
      for (const threshold of exits.length > 0 ? [0.5, 0.7, 0.9, 0.99, 2] : [2]) {
        const gates = { thresholds: [offset, offset, offset, offset] };
        const { accuracy, cost } = await routedAt(on, { ...FRAME, thresholds: exits.map(() => threshold), gates });
        tried++;
        if (accuracy >= 0.9 * on.own - 1e-9) expect(cost).toBeGreaterThanOrEqual(point.cost - 1e-9);
      }
    expect(tried).toBeGreaterThan(2);
  });

  test("a target that no path reaches is refused", async () => {
    await expect(chosen(await labelled(exits), { kind: "budget", cost: 0.01 })).rejects.toThrow(
      "no threshold of rule max-softmax keeps the mean cost at 1.0 % of the full network; the cheapest path costs",
    );
  });
});

test("costs of given thresholds on other samples count closed gates", async () => {
  const on = await labelled([1]);
  const gates = { thresholds: [ALWAYS_OPEN, 0.5, -1, 2] };
  const runs = new GatedRuns(on.model, backend);
  const measured = await measuredUnits(runs, on, { batch: 16 }).at(gates.thresholds);
  const [{ cost, accuracy }] = outcomesAt(measured, { ...FRAME, ...unitShares(on.model), lists: [[0.9]] });
  const found = await routedAt(on, { ...FRAME, thresholds: [0.9], gates });
  expect(cost).toBeCloseTo(found.cost, 12);
  expect(accuracy).toBe(found.accuracy);
  await runs.release();
});
