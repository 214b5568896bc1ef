/** @file Batches of 256: the executor's answers and work, and a profile's operating points, on a network small enough for it. */
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import { readImages } from "../../../src/data/dataset.js";
import { splitValidation } from "../../../src/data/split.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { route } from "../../../src/dynamic/route/route.js";
import { ENGINES, type EngineName } from "../../../src/dynamic/run/executor/engines.js";
import { createExecutor } from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import type { Policy } from "../../../src/schema/policy.js";
import { profileRecordSchema } from "../../../src/schema/profile-record.js";
import { profile } from "../../../src/studies/profile/index.js";
import { CLASSES, earlyExits, patterns } from "../../support/training.js";

const BATCH = 256;
/** Two full batches and a rest. */
const COUNT = 2 * BATCH + 44;
const backend = ortNode({ threads: 1 });
const model = dynamicModel({ graph: earlyExits(), metadata: new Map() });
const data = patterns(COUNT, { noise: 0.4 });
const images = await readImages(data);

const forward = await Forward.compile(model, { backend });
const logits = await forward.logits(images, { batch: BATCH });
await forward.release();

/** Half of the images leave at the first exit. */
const sure = route(new Logits(logits.exits.slice(0, 1), CLASSES), {
  rule: "max-softmax",
  thresholds: [],
  fallback: "final",
})
  .map(({ confidence }) => confidence)
  .sort((a, b) => a - b);
const policy: Policy = { rule: "max-softmax", thresholds: [sure[COUNT / 2]], fallback: "final" };

describe.each(Object.keys(ENGINES) as EngineName[])("%s at a batch of 256", (engine) => {
  const classify = async (batch: number) => {
    const runs: { readonly stage: number; readonly rows: number }[] = [];
    const executor = await createExecutor(model, {
      backend,
      policy,
      batch,
      engine,
      onRun: (run) => void runs.push(run),
    });
    const answers = await executor.classify(images.data);
    await executor.release();
    return { answers, runs };
  };

  test("answers as routing over all exits does, and as one by one", async () => {
    const [many, single] = [await classify(BATCH), await classify(1)];
    const said = ({ label, stop }: { readonly label: number; readonly stop: number }) => [label, stop];
    const expected = route(logits, policy);
    expect(many.answers.map(said)).toEqual(expected.map(said));
    expect(single.answers.map(said)).toEqual(expected.map(said));
    many.answers.forEach(({ confidence }, i) => {
      expect(confidence).toBeCloseTo(expected[i]?.confidence, 5);
    });
    expect(new Set(many.answers.map(({ stop }) => stop))).toEqual(new Set([0, 1]));
  });

  test("fills its batches, and runs the second stage on what is left alone", async () => {
    const { answers, runs } = await classify(BATCH);
    const rows = (stage: number) => runs.filter((run) => run.stage === stage).map((run) => run.rows);
    expect(rows(0)).toEqual([BATCH, BATCH, COUNT - 2 * BATCH]);
    const left = answers.filter(({ stop }) => stop === 1).length;
    expect(rows(1).reduce((a, b) => a + b)).toBe(left);
    expect(left).toBeLessThan(COUNT);
  });
});

test("a profile times and reports batches of 256", async () => {
  const { reported, validation } = splitValidation(data, { reported: BATCH, validation: 100, seed: 1 });
  const record = await profile({
    ...{ model, backend, validation, data: reported, batches: [1, BATCH], rounds: 1, seed: 1, version: "test" },
    ...{ rules: ["max-softmax"], fallback: "final", now: () => performance.now() },
    machine: { cpu: "made", cores: 1, runtime: "node 0", engine: "made", threads: 1, load: 0 },
  });
  expect(profileRecordSchema.parse(record).batches).toEqual([1, BATCH]);
  const chosen = record.points.filter(({ kind }) => kind !== "sweep");
  expect(chosen.length).toBeGreaterThan(1);
  for (const { timings, exitCounts } of chosen) {
    expect(timings.map(({ batch, latencyMs }) => [batch, latencyMs?.requests])).toEqual([
      [1, 200],
      [BATCH, 1],
    ]);
    expect(exitCounts.reduce((a, b) => a + b)).toBe(BATCH);
  }
});
