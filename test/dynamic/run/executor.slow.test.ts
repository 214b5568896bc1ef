import { resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Logits } from "../../../src/core/logits.js";
import { readImages } from "../../../src/data/dataset.js";
import { type DynamicModel, dynamicModel } from "../../../src/dynamic/model/model.js";
import { type Routed, route } from "../../../src/dynamic/route/route.js";
import { ENGINES, type EngineName } from "../../../src/dynamic/run/executor/engines.js";
import { createExecutor } from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { openDataset } from "../../../src/node/data/open.js";
import { loadModel } from "../../../src/node/onnx-files.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import type { Policy } from "../../../src/schema/policy.js";

const COUNT = 64;

let model: DynamicModel;
let images: Float32Array;
let logits: Logits;

beforeAll(async () => {
  model = dynamicModel(await loadModel(resolve(import.meta.dirname, "../../../zoo/resnet20-cifar10-joint.onnx")));
  const data = await openDataset("sample");
  const first = await readImages(data, [...Array(COUNT).keys()]);
  images = first.data;
  const forward = await Forward.compile(model, { backend: ortNode() });
  logits = await forward.logits(first, { batch: COUNT });
  await forward.release();
});

const policies: Policy[] = [
  { rule: "max-softmax", thresholds: [0.8, 0.8, 0.8, 0.8, 0.8, 0.8], fallback: "final" },
  { rule: "entropy", thresholds: [0.2, 0.3, 0.4, 0.5, 0.5, 0.5], fallback: "most-confident" },
  { rule: "patience", thresholds: [2], fallback: "final" },
];

/** Labels and exits as they are, confidences to rounding: a stage ends where the whole graph would have fused on. */
const rounded = (routed: readonly Routed[]) =>
  routed.map((r) => ({ ...r, ...namesOf(r), confidence: expect.closeTo(r.confidence, 5) }));

/** The names that an executor adds to an answer, and its cost. */
function namesOf({ label, answer, stop }: Routed) {
  const { exits, classNames } = model;
  return { className: classNames?.[label], exitName: exits[answer].name, costFraction: exits[stop].costFraction };
}

const engines = Object.keys(ENGINES) as EngineName[];

describe.each(policies)("a trained network on ONNX Runtime, rule $rule, fallback $fallback", (policy) => {
  const own = engines.filter((engine) => engine === "staged" || policy.fallback === "final");
  test.each(own.flatMap((engine) => [1, 7, 64].map((batch) => [engine, batch] as const)))(
    "%s, batch %i, gives the answers of the whole graph",
    async (engine, batch) => {
      const executor = await createExecutor(model, { backend: ortNode(), policy, batch, engine });
      const answers = await executor.classify(images);
      await executor.release();
      expect(answers.map(({ logits: _, ...routed }) => routed)).toEqual(rounded(route(logits, policy)));
    },
  );
});

test.each(engines)("%s: answers do not depend on the other samples, whatever the batch", async (engine) => {
  const run = async (batch: number) => {
    const executor = await createExecutor(model, { backend: ortNode(), policy: policies[0], batch, engine });
    const answers = await executor.classify(images);
    await executor.release();
    return answers;
  };
  const [one, five, all] = [await run(1), await run(5), await run(64)];
  expect(five).toEqual(all);
  expect(one.map((a) => [a.label, a.stop])).toEqual(all.map((a) => [a.label, a.stop]));
});

test.each(engines)("%s: every stage is run on the samples that come to it, and no others", async (engine) => {
  const rows: number[] = [];
  const executor = await createExecutor(model, {
    backend: ortNode(),
    policy: policies[0],
    batch: 16,
    engine,
    onRun: ({ stage, rows: count }) => {
      rows[stage] = (rows[stage] ?? 0) + count;
    },
  });
  const stops = (await executor.classify(images)).map((a) => a.stop);
  await executor.release();
  expect(rows).toEqual(model.exits.map((_, k) => stops.filter((stop) => stop >= k).length));
});
