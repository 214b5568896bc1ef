/** Conversion of networks that dynn did not make: exports of torchvision's families with random weights, on random labels, and the
 *  bundled ResNet-20 on real images. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Dataset, inMemory, subset } from "../../src/data/dataset.js";
import { readNpy } from "../../src/data/npy.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { openDataset } from "../../src/node/data/open.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { convert } from "../../src/training/convert/convert.js";
import { evaluateExits } from "../../src/training/run/evaluate.js";
import { answers } from "../nn/support.js";
import { referenceFile } from "../support/reference-cases.js";
import { bytesOf } from "../support/training.js";

/** What float32 leaves of logits whose size is around 1, when ONNX Runtime fuses other nodes than before. */
const DIGITS = 4;

function noise(count: number, side: number, seed: number): Dataset {
  const shape = [3, side, side] as const;
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7 + seed) % 10);
  const data = uniform({ seed, sample: 0, purpose: "test", step: 0 }, count * sizeOf(shape), 0, 1);
  return inMemory({ name: "noise", shape, classes: undefined, labels }, data);
}

const npy = (path: string): Tensor => readNpy(referenceFile(path), path);

describe("a foreign network is converted:", () => {
  test.each([
    ["densenet", 64, "sdn", "ic-only"],
    ["efficientnet", 64, "pool-linear", "distill"],
    ["mobilenet_v2", 64, "sdn", "ic-only"],
    ["squeezenet", 64, "pool-linear", "ic-only"],
    ["vit", 32, undefined, "distill"],
    ["vit", 32, "token-linear", "ic-only"],
  ] as const)("%s of %i pixels, head %s, by %s", async (family, side, head, recipe) => {
    const folder = `gradients/${family}`;
    const source = readModel(referenceFile(`${folder}/model.onnx`));
    const { graph, metadata, epochs, places, policy } = await convert(source, {
      train: noise(40, side, 1),
      validation: noise(50, side, 2),
      head,
      recipe,
      epochs: 2,
      training: { batch: 20 },
      backend: ortNode(),
    });
    const read = dynamicModel(readModel(writeModel({ graph, metadata })));
    expect(read.exits.length).toBeGreaterThan(2);
    expect(places.filter((p) => p.exit !== undefined)).toHaveLength(read.exits.length - 1);
    expect(read.policy).toEqual(policy);
    const [before, after] = [bytesOf(source.graph.initializers), bytesOf(graph.initializers)];
    for (const [name, bytes] of Object.entries(before)) expect(after[name], name).toBe(bytes);
    expect(epochs.at(-1)?.exitLosses.every(Number.isFinite)).toBe(true);
    // logits.npy is PyTorch's answer.
    const logits = (await answers(read.graph, npy(`${folder}/x.npy`))).logits;
    const expected = toNumbers(npy(`${folder}/logits.npy`));
    expect(logits).toHaveLength(expected.length);
    logits?.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], DIGITS - 1);
    });
  });
});

test("the bundled ResNet-20 keeps its accuracy, and its exits learn more the later they stand", async () => {
  const source = readModel(readFileSync(new URL("../../zoo/resnet20-cifar10-static.onnx", import.meta.url)));
  const data = await openDataset("sample");
  const records = (from: number, count: number) =>
    subset(
      data,
      Uint32Array.from({ length: count }, (_, i) => from + i),
    );
  const [train, validation] = [records(0, 300), records(300, 60)];
  const plain = dynamicModel(source);
  const {
    graph,
    exits,
    validation: seen,
  } = await convert(source, {
    train,
    validation,
    exits: { kind: "fractions", fractions: [0.3, 0.9] },
    epochs: 4,
    training: { batch: 25, peak: 3e-3 },
    backend: ortNode(),
  });
  const { correct } = await evaluateExits(source.graph, validation, {
    exits: plain.exits,
    backend: ortNode(),
    batch: 50,
  });
  expect(seen.right.at(-1)).toBe(correct[0]);
  const trained = await evaluateExits(graph, train, { exits, backend: ortNode(), batch: 50 });
  const [early, late] = trained.correct.map((right) => right / train.count) as [number, number];
  expect(early).toBeGreaterThan(0.2);
  expect(late).toBeGreaterThan(early);
  expect(seen.right[1] / 60).toBeGreaterThan(0.3);
  expect(seen.routed?.right).toBeGreaterThanOrEqual(0.95 * (seen.right.at(-1) as number) - 1e-9);
}, 180_000);
