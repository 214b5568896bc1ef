/** @file What attacks on gates reach on a small network whose gates read the image, on 12 images:
 *  shares of the saved work that they bring back. Gates that ignore the image have probabilities near 0
 *  or 1. ILFO's small steps open few of those. */
import { beforeAll, expect, test } from "vitest";
import { writeMetadata } from "../../src/dynamic/model/metadata.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { ARCHITECTURES } from "../../src/nn/architectures.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { AuditRecord } from "../../src/schema/audit-record.js";
import { audit } from "../../src/studies/audit/index.js";
import { attachGates } from "../../src/training/gates/attach.js";
import { train } from "../../src/training/run/trainer.js";
import { CLASSES, patterns, request, SIDE, trainable } from "../support/training.js";

const BUDGET = { kind: "budget", target: 0.5, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 } as const;
const within = { norm: "linf", radius: "8/255" } as const;

let record: AuditRecord;
beforeAll(async () => {
  const data = patterns(120, { noise: 0.3 });
  const plain = ARCHITECTURES.resnet20.make({ classes: CLASSES, imageSize: SIDE, width: 0.5, seed: 1 }).graph;
  const start = await train(request({ recipe: "static", epochs: 6 }, { model: trainable(plain), train: data }));
  const made = attachGates(start.graph, { gate: "pooled", seed: 3 });
  const trained = await train(
    request(
      { recipe: "gates", epochs: 12, gates: BUDGET },
      {
        model: { ...trainable(made.graph), gates: made.gates },
        train: data,
        validation: patterns(60, { seed: 2, noise: 0.3 }),
      },
    ),
  );
  const gates = made.gates.map(({ name, score, value, branch }) => ({ name, score, value, branch }));
  const model = dynamicModel({ graph: trained.graph, metadata: writeMetadata({ gates }) });
  ({ record } = await audit({
    ...{ model, backend: ortNode({ threads: 1 }), data: patterns(12, { seed: 5, noise: 0.3 }), seed: 0 },
    ...{ version: "test", now: () => 0 },
    policy: { kind: "fixed", policy: { rule: "max-softmax", thresholds: [], fallback: "final" } },
    attacks: [
      { name: "gradauto", method: "gradauto" },
      { name: "ilfo", method: "ilfo" },
      { name: "ilfo 8/255", method: "ilfo", ...within, steps: 300 },
      { name: "slowdown 8/255", goal: "slowdown", ...within, steps: 30, stepSize: 0.0026, randomStart: true },
    ],
  }));
}, 300_000);

const recoveryOf = (name: string): number =>
  record.attacks.find((attack) => attack.name === name)?.gates?.recovery?.value ?? Number.NaN;

test("without a limit, GradAuto as published brings back nine tenths of the saved work, and ILFO most of it", () => {
  expect(record.clean.routed.meanCostFraction).toBeLessThan(0.75);
  expect(recoveryOf("gradauto")).toBeGreaterThanOrEqual(0.9);
  // The machine that trains the network decides its last bits: ILFO reached 0.94 with AVX2 and 0.82
  // with AVX-512.
  expect(recoveryOf("ilfo")).toBeGreaterThan(0.75);
});

test("within 8/255, ILFO and the loss on scores bring back a part of it", () => {
  for (const name of ["ilfo 8/255", "slowdown 8/255"]) {
    expect(recoveryOf(name), name).toBeGreaterThan(0.2);
    expect(recoveryOf(name), name).toBeLessThan(recoveryOf("ilfo"));
  }
});
