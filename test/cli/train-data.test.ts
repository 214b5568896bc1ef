/** @file Which records are trained on, validated on and tested on: no image is in two parts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sizeOf } from "../../src/core/shape.js";
import { concat, type Dataset, inMemory } from "../../src/data/dataset.js";
import { writeNpy } from "../../src/data/npy.js";
import { splitTraining } from "../../src/data/training-split.js";
import { openDataset } from "../../src/node/data/open.js";
import { openSource } from "../../src/node/data/prefetch.js";
import { openTrainingData, type TrainingData } from "../../src/node/training/data.js";
import { npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const TENTH = { kind: "share", share: 0.1 } as const;

/** Every image of a part as text. */
async function images(part: Dataset | undefined): Promise<string[]> {
  if (!part) return [];
  const size = sizeOf(part.shape);
  const pixels = new Float32Array(part.count * size);
  await part.read([...Array(part.count).keys()], pixels);
  return Array.from({ length: part.count }, (_, i) => pixels.subarray(i * size, (i + 1) * size).join());
}

async function expectApart({ train, validation, test }: TrainingData): Promise<void> {
  const all = (await Promise.all([train, validation, test].map(images))).flat();
  expect(new Set(all).size).toBe(all.length);
}

/** A CIFAR-10 archive of four records a file; the first pixel of a record is its number. */
function archive(name = "archive"): string {
  const place = join(folder, name);
  mkdirSync(place);
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat("test_batch.bin");
  names.forEach((name, file) => {
    const bytes = new Uint8Array(4 * 3073);
    for (let i = 0; i < 4; i++) bytes.set([i, 4 * file + i], i * 3073);
    writeFileSync(join(place, name), bytes);
  });
  return place;
}

describe("training data", () => {
  it("of a CIFAR archive are its training records, and its test records are the test", async () => {
    const place = archive();
    const data = await openTrainingData({ data: `cifar10:${place}`, validation: TENTH });
    expect([data.train, data.validation, data.test].map((part) => [part?.name, part?.count])).toEqual([
      ["cifar10:train", 18],
      ["cifar10:train#validation", 2],
      ["cifar10:test", 4],
    ]);
    expect(data.classes).toBe(10);
    await expectApart(data);
    const [trained, tested] = [await images(data.train), await images(data.test)];
    expect(tested).toEqual(await images(await openDataset(`cifar10:${place}#test`)));
    expect([...trained, ...(await images(data.validation))].sort()).toEqual(
      (await images(await openDataset(`cifar10:${place}#train`))).sort(),
    );
  });

  it("are found again by worker threads", async () => {
    const { train, source } = await openTrainingData({ data: npyPair(folder, "w"), validation: TENTH });
    expect(await images(await openSource(source))).toEqual(await images(train));
  });

  it("are split alike every time: the validation records of one run are those of all", async () => {
    const spec = npyPair(folder, "s");
    const [a, b] = await Promise.all([1, 2].map(() => openTrainingData({ data: spec, validation: TENTH })));
    expect(await images(a?.validation)).toEqual(await images(b?.validation));
    expect([a?.train.count, a?.validation.count]).toEqual([36, 4]);
    await expectApart(a);
  });

  it("give up no record to named validation data, which lose the images that are trained on", async () => {
    const [spec, other] = [npyPair(folder, "a", { count: 20 }), npyPair(folder, "b", { count: 10, seed: 7 })];
    const mixed = concat([await openDataset(spec), await openDataset(other)], "mixed");
    const pixels = new Float32Array(30 * 3 * 64);
    await mixed.read([...Array(30).keys()], pixels);
    const [x, y] = ["x.npy", "y.npy"].map((name) => join(folder, name)) as [string, string];
    writeFileSync(x, writeNpy({ dtype: "float32", dims: [30, 3, 8, 8], data: pixels }));
    writeFileSync(y, writeNpy({ dtype: "int64", dims: [30], data: BigInt64Array.from(mixed.labels, BigInt) }));
    const validation = { kind: "spec", spec: `npy:${x},${y}` } as const;
    const data = await openTrainingData({ data: spec, validation });
    expect([data.train.count, data.validation.count]).toEqual([20, 10]);
    await expectApart(data);
    await expect(openTrainingData({ data: spec, validation, test: other })).rejects.toMatchObject({
      code: "training/config",
    });
  });

  it("has validation records in the numbering of the classes that are trained on", async () => {
    const data = (name: string, classes: string[]): Dataset =>
      inMemory({ name, shape: [1, 1, 1], classes, labels: Int32Array.of(0, 1, 1) }, new TextEncoder().encode(name));
    const split = await splitTraining(data("abc", ["cat", "dog"]), { validation: data("def", ["Dog", "cat"]) });
    expect([split.train, split.validation].map(({ labels }) => [...labels])).toEqual([
      [0, 1, 1],
      [1, 0, 0],
    ]);
    const other = splitTraining(data("abc", ["cat", "dog"]), { validation: data("def", ["cow", "cat"]) });
    await expect(other).rejects.toThrow(/"cow" is unknown to abc/);
  });

  it("of a network that exists has its labels, on worker threads too", async () => {
    const place = archive("renamed");
    const turned = (data: Dataset): Dataset => ({ ...data, labels: data.labels.map((label) => 9 - label) });
    const own = await openTrainingData({ data: `cifar10:${place}`, validation: TENTH });
    const fitted = await openTrainingData({ data: `cifar10:${place}`, validation: TENTH, fit: turned });
    expect([...fitted.train.labels]).toEqual([...own.train.labels].map((label) => 9 - label));
    expect((await openSource(fitted.source)).labels).toEqual(fitted.train.labels);
    expect(await images(await openSource(fitted.source))).toEqual(await images(own.train));
  });
});
