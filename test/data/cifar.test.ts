import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CIFAR10, CIFAR100, parseCifar } from "../../src/data/cifar.js";
import { cifarRecord, join8, readPixels } from "./support.js";

const source = { name: "cifar10:test", file: "test_batch.bin" };

describe("parseCifar", () => {
  test("CIFAR-10: one label byte, then planes of red, green and blue", async () => {
    const dataset = parseCifar(join8(cifarRecord([3]), cifarRecord([9], 100)), CIFAR10, source);
    expect(dataset).toMatchObject({ name: "cifar10:test", count: 2, shape: [3, 32, 32], labels: Int32Array.of(3, 9) });
    expect(dataset.classes?.[3]).toBe("cat");
    const pixels = await readPixels(dataset, [1]);
    expect(pixels).toEqual(Float32Array.from({ length: 3072 }, (_, i) => ((100 + i) % 256) / 255));
  });

  test("CIFAR-100: the second label byte is the class", async () => {
    const dataset = parseCifar(join8(cifarRecord([19, 0]), cifarRecord([4, 99], 7)), CIFAR100, source);
    expect(dataset.labels).toEqual(Int32Array.of(0, 99));
    expect((await readPixels(dataset, [1]))[0]).toBe(Math.fround(7 / 255));
  });

  test.each([0, 1, 3072, 3074, 6145])("%i bytes are not a whole number of records", (length) => {
    expect(() => parseCifar(new Uint8Array(length), CIFAR10, source)).toThrow(
      `test_batch.bin: got ${length} bytes, expected a multiple of 3073 (1 for labels, 3072 for pixels), at least one. Download or unpack the file again. [data/truncated]`,
    );
  });

  test("a label that is no class is refused by record", () => {
    expect(() => parseCifar(join8(cifarRecord([0]), cifarRecord([10])), CIFAR10, source)).toThrow(
      "test_batch.bin: record 1 has label 10, expected an integer from 0 to 9. Give labels that number the classes from 0, as the model does. [data/label]",
    );
    expect(() => parseCifar(cifarRecord([0, 100]), CIFAR100, source)).toThrow(
      "record 0 has label 100, expected an integer from 0 to 99.",
    );
  });
});

describe("class names", () => {
  const names = (file: string) =>
    readFileSync(new URL(`../fixtures/cifar/${file}`, import.meta.url), "utf8")
      .split("\n")
      .filter(Boolean);

  test("are those of the official archives", () => {
    expect(CIFAR10.classes).toEqual(names("batches.meta.txt"));
    expect(CIFAR100.classes).toEqual(names("fine_label_names.txt"));
  });
});
