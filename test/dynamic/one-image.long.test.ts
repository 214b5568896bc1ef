/** @file A file whose batch of 1 cannot be opened is run image by image, by every backend and for every use. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import type { Dataset } from "../../src/data/dataset.js";
import { inMemory } from "../../src/data/dataset.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { route } from "../../src/dynamic/route/route.js";
import { conditionalModel } from "../../src/dynamic/run/conditional/index.js";
import { createExecutor } from "../../src/dynamic/run/executor/index.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { exportSplit, exportStaged } from "../../src/node/deploy/export.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { OnnxModel } from "../../src/onnx/model.js";
import { writeModel } from "../../src/onnx/write.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import type { Policy } from "../../src/schema/policy.js";
import { audit } from "../../src/studies/audit/index.js";
import { planConversion } from "../../src/training/convert/plan.js";
import { trainingNetwork } from "../../src/training/run/network.js";
import { failure } from "../support/failure.js";
import { ONE_IMAGE, type OneImageName, oneImageNet } from "../support/one-image.js";
import { pixels } from "./adapt/support.js";

const NAMES = Object.keys(ONE_IMAGE) as OneImageName[];
const COUNT = 11;
const { data: PIXELS } = pixels(COUNT, 3, 8, 8);
const POLICY: Policy = { rule: "max-softmax", thresholds: [0.4], fallback: "final" };

/** The answers of the file itself, as ONNX Runtime gives them for one image after the other. */
async function answers({ graph }: OnnxModel): Promise<Record<"early" | "final", number[][]>> {
  const session = await InferenceSession.create(writeModel({ graph }));
  const results = { early: [] as number[][], final: [] as number[][] };
  for (let i = 0; i < COUNT; i++) {
    const image = new Tensor("float32", PIXELS.slice(i * 192, (i + 1) * 192), [1, 3, 8, 8]);
    const found = await session.run({ image });
    for (const exit of ["early", "final"] as const) results[exit].push([...(found[exit].data as Float32Array)]);
  }
  await session.release();
  return results;
}

const close = (rows: readonly number[][]) => rows.flat().map((v) => expect.closeTo(v, 5));

async function logitsOf(name: OneImageName, batch: number, backend = ortNode({ threads: 1 })) {
  const model = dynamicModel(oneImageNet(name));
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(Images.for(model, PIXELS), { batch });
  await forward.release();
  return { model, logits };
}

describe.each(NAMES)("%s", (name) => {
  test("the model says why, and keeps all exits", () => {
    const model = dynamicModel(oneImageNet(name));
    expect(model.oneByOne).toBe(ONE_IMAGE[name][1]);
    expect(model.changes).toEqual([`dynn runs one image at a time, because ${ONE_IMAGE[name][1]}.`]);
    expect([model.input.shape, model.exits.map((e) => e.name)]).toEqual([
      [1, 3, 8, 8],
      ["early", "final"],
    ]);
    expect(model.exits[0].costFraction).toBeLessThan(0.5);
  });

  test.each([1, 4, 64])("batch %i gives the answers of the file", async (batch) => {
    const expected = await answers(oneImageNet(name));
    for (const backend of [ortNode({ threads: 1 }), referenceBackend]) {
      const { logits } = await logitsOf(name, batch, backend);
      expect([...logits.exits[0]]).toEqual(close(expected.early));
      expect([...logits.exits[1]]).toEqual(close(expected.final));
    }
  });

  test.each([1, 4, 64])("the executor answers as the whole network does, batch %i", async (batch) => {
    const { model, logits } = await logitsOf(name, 1);
    const sure = route(logits, { ...POLICY, thresholds: [0] }).map(({ confidence }) => confidence);
    const policy = { ...POLICY, thresholds: [sure.sort()[5]] };
    const executor = await createExecutor(model, { backend: ortNode({ threads: 1 }), policy, batch });
    const routed = await executor.classify(PIXELS);
    await executor.release();
    const expected = route(logits, policy);
    expect(new Set(expected.map((r) => r.stop)).size).toBe(2);
    expect(routed.map(({ stop, label }) => [stop, label])).toEqual(expected.map(({ stop, label }) => [stop, label]));
  });

  test("an audit gives the same bytes at batch 1 and batch 8", async () => {
    const [one, eight] = [await audited(name, 1), await audited(name, 8)];
    expect(eight.adversarial).toEqual(one.adversarial);
    // The batch itself is the one difference.
    expect({ ...eight.record, memory: one.record.memory }).toEqual(one.record);
    expect(one.record.model.changes).toEqual([expect.stringContaining("one image at a time")]);
    expect(one.record.attacks[0].successRate.value).toBeGreaterThan(0);
  });
});

function dataOf(labels: Int32Array): Dataset {
  return inMemory({ name: "made", shape: [3, 8, 8], classes: undefined, labels }, PIXELS);
}

async function audited(name: OneImageName, batch: number) {
  const { model, logits } = await logitsOf(name, 1);
  const labels = Int32Array.from(route(logits, { ...POLICY, thresholds: [1] }), (r) => r.label);
  return audit({
    ...{ model, backend: ortNode({ threads: 1 }), data: dataOf(labels), policy: { kind: "fixed", policy: POLICY } },
    attacks: [
      { name: "pgd", objective: "misclassify:final", radius: 0.2, steps: 8, randomStart: true },
      { name: "slow", objective: "slowdown", radius: 0.1, steps: 4 },
    ],
    ...{ curves: { radii: [0.05], steps: 2 }, seed: 3, batch, version: "test", now: () => 0 },
  });
}

describe("what needs a batch of any size is refused", () => {
  const source = oneImageNet("squeezed");
  const model = dynamicModel(source);
  const data = dataOf(new Int32Array(COUNT));
  const options = { backend: ortNode(), policy: POLICY };
  const refused = (work: string) =>
    failure(
      "model/batch",
      `net: runs one image at a time, because Squeeze "squeeze" works for a batch of 1 only, and ${work} needs larger batches. Export the model with a dynamic batch.`,
    );

  test("a conditional graph", () =>
    expect(() => conditionalModel(model, POLICY)).toThrow(refused("a conditional graph")));
  test("bundles", async () => {
    await expect(exportStaged(model, "/none/bundle", options)).rejects.toThrow(refused("a bundle"));
    await expect(exportSplit(model, "/none/bundle", options)).rejects.toThrow(refused("a bundle"));
  });
  test("training", () =>
    expect(
      trainingNetwork({
        ...{ base: { kind: "model", name: "net", source }, recipe: "joint", seed: 0, classes: 4, train: data },
      }),
    ).rejects.toThrow(refused("training")));
  test("a conversion", () => expect(() => planConversion(source, data)).toThrow(refused("a conversion")));
});
