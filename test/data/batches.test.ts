import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizeOf } from "../../src/core/shape.js";
import { NO_AUGMENTATION } from "../../src/data/augment.js";
import {
  type BatchOptions,
  batches,
  epochOrder,
  places,
  stepsPerEpoch,
  type TrainingBatch,
  trainingStream,
} from "../../src/data/batches.js";
import { inMemory } from "../../src/data/dataset.js";
import { failure } from "../support/failure.js";

/** Pixels of record i are numbers that no other record has; its label is i mod 3. */
const counting = (count: number) =>
  inMemory(
    {
      name: "counting",
      shape: [1, 2, 3],
      classes: undefined,
      labels: Int32Array.from({ length: count }, (_, i) => i % 3),
    },
    Float32Array.from({ length: count * 6 }, (_, i) => i / (count * 6)),
  );

const OPTIONS: BatchOptions = { batch: 4, seed: 7, classes: 3, augmentation: NO_AUGMENTATION, fill: [0.5] };
const AUGMENTED = { flip: true, crop: { pad: 1, mode: "zero" }, cutout: 1 } as const;

async function collect(iterable: AsyncIterable<TrainingBatch>): Promise<TrainingBatch[]> {
  const all: TrainingBatch[] = [];
  for await (const batch of iterable) all.push(batch);
  return all;
}

describe("the order of an epoch", () => {
  test("names every record once, differs between epochs and seeds, and is the same when asked again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(), fc.nat(500), (count, seed, epoch) => {
        const order = epochOrder(count, seed, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(epochOrder(count, seed, epoch)).toEqual(order);
      }),
    );
    expect(epochOrder(50, 1, 0)).not.toEqual(epochOrder(50, 1, 1));
    expect(epochOrder(50, 1, 0)).not.toEqual(epochOrder(50, 2, 0));
  });
});

describe("batches", () => {
  test("are the records of the epoch's order with their pixels and labels; the rest of fewer than a batch is left out", async () => {
    const dataset = counting(11);
    const got = await collect(batches(dataset, { ...OPTIONS, epoch: 2 }));
    expect(got.map(({ epoch, step }) => [epoch, step])).toEqual([
      [2, 0],
      [2, 1],
    ]);
    expect(got.flatMap(({ indices }) => [...indices])).toEqual([...epochOrder(11, 7, 2).subarray(0, 8)]);
    for (const { images, labels, indices } of got) {
      const pixels = new Float32Array(24);
      await dataset.read(indices, pixels);
      expect(images).toEqual(pixels);
      expect([...labels]).toEqual([...indices].map((i) => BigInt(i % 3)));
    }
  });

  test("show a record in the same way whatever the batch size", async () => {
    const size = fc.integer({ min: 1, max: 12 });
    const imagesByRecord = async (batch: number, epoch: number) => {
      const all = await collect(batches(counting(12), { ...OPTIONS, augmentation: AUGMENTED, batch, epoch }));
      return new Map(
        all.flatMap((b) => [...b.indices].map((r, i) => [r, [...b.images.slice(i * 6, i * 6 + 6)]] as const)),
      );
    };
    await fc.assert(
      fc.asyncProperty(size, fc.nat(100), async (batch, epoch) => {
        const whole = await imagesByRecord(12, epoch);
        for (const [record, image] of await imagesByRecord(batch, epoch)) expect(image).toEqual(whole.get(record));
      }),
    );
  });

  test("from a later step are the bytes of an uninterrupted run", () => {
    const place = fc.record({ epoch: fc.nat(2), step: fc.nat(2) });
    return fc.assert(
      fc.asyncProperty(fc.nat(), place, async (seed, from) => {
        const options = { ...OPTIONS, seed, augmentation: AUGMENTED, epochs: 3 };
        const whole = await collect(trainingStream(counting(13), { ...options, from: { epoch: 0, step: 0 } }));
        const resumed = await collect(trainingStream(counting(13), { ...options, from }));
        expect(resumed).toEqual(whole.slice(from.epoch * 3 + from.step));
      }),
    );
  });

  test("of a stream are those of its epochs, one after the other", async () => {
    const stream = await collect(trainingStream(counting(9), { ...OPTIONS, epochs: 3, from: { epoch: 1, step: 1 } }));
    const parts = [
      await collect(batches(counting(9), { ...OPTIONS, epoch: 1, fromStep: 1 })),
      await collect(batches(counting(9), { ...OPTIONS, epoch: 2 })),
    ];
    expect(stream).toEqual(parts.flat());
  });

  test("from the step after the last are those of the next epoch", () => {
    const wanted = [...places(8, { batch: 4, epochs: 2, from: { epoch: 0, step: stepsPerEpoch(8, 4) } })];
    expect(wanted).toEqual([
      { epoch: 1, step: 0 },
      { epoch: 1, step: 1 },
    ]);
  });
});

describe("bad data", () => {
  test("a label that is no class of the model is refused before the first batch, with its record", () => {
    expect(() => batches(counting(9), { ...OPTIONS, classes: 2, epoch: 0 })).toThrow(
      failure(
        "data/label",
        "counting: record 2 has label 2, expected an integer from 0 to 1. Give labels that number the classes from 0, as the model does.",
      ),
    );
  });

  test("a pixel that is NaN is refused with the record, wherever the shuffle put it", async () => {
    const pixels = new Float32Array(12 * 6).fill(0.5);
    pixels[5 * 6 + 3] = Number.NaN;
    const header = { name: "floats", shape: [1, 2, 3] as const, classes: undefined, labels: new Int32Array(12) };
    await expect(collect(batches(inMemory(header, pixels), { ...OPTIONS, epoch: 0 }))).rejects.toThrow(
      failure(
        "data/value",
        "floats: record 5 has a pixel of NaN, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model.",
      ),
    );
  });

  test("a batch larger than the data is refused at once", () => {
    expect(() => trainingStream(counting(3), { ...OPTIONS, epochs: 1, from: { epoch: 0, step: 0 } })).toThrow(
      failure(
        "cli/value",
        "batch: got 4 images, expected an integer from 1 to 3, the records to train on. Choose a smaller batch, or give more data.",
      ),
    );
  });

  test("an augmentation that does not fit the images is refused at once", () => {
    const crop = { pad: 2, mode: "reflect" } as const;
    expect(() => batches(counting(9), { ...OPTIONS, augmentation: { ...NO_AUGMENTATION, crop }, epoch: 0 })).toThrow(
      "augmentation: got a crop padded by 2 pixels (reflect), expected an integer from 0 to 1",
    );
  });
});

test("every batch owns its arrays, so that a thread can hand them over", async () => {
  const dataset = counting(9);
  const [first, second] = await collect(batches(dataset, { ...OPTIONS, epoch: 0 }));
  expect(new Set([first?.images.buffer, second?.images.buffer]).size).toBe(2);
  expect(first?.images.buffer.byteLength).toBe(4 * sizeOf(dataset.shape) * 4);
  expect(first?.indices.buffer.byteLength).toBe(4 * 4);
});
