import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fromNumbers } from "../../../src/core/tensor.js";
import { writeNpy } from "../../../src/data/npy.js";
import { openDataset } from "../../../src/node/data/open.js";
import { cifarRecord, join8, readPixels, temporaryFolder } from "../../data/support.js";

const root = temporaryFolder();
const cifar10 = join(root, "cifar-10-batches-bin");
const cifar100 = join(root, "cifar-100-binary");

beforeAll(() => {
  mkdirSync(cifar10);
  mkdirSync(cifar100);
  writeFileSync(join(cifar10, "test_batch.bin"), join8(cifarRecord([8], 1), cifarRecord([1], 2)));
  for (let i = 1; i <= 5; i++)
    writeFileSync(join(cifar10, `data_batch_${i}.bin`), join8(cifarRecord([i], 10 * i), cifarRecord([0])));
  writeFileSync(join(cifar100, "test.bin"), cifarRecord([0, 42]));
  writeFileSync(join(cifar100, "train.bin"), cifarRecord([0, 43]));
});

describe("specs", () => {
  test.each([
    ...["", "cifar10", "cifar10:", "constructor:x", "sample:cifar11", "sample:", "folder", "C:\\data"].map((s) => [
      s,
      "",
    ]),
    ["cifar", " Did you mean cifar10?"],
    ["folders:photos", " Did you mean folder:photos?"],
    ["smaple", " Did you mean sample?"],
    [root, ` Did you mean folder:${root}?`],
  ])('"%s" is none', async (spec, guess) => {
    await expect(openDataset(spec)).rejects.toThrow(`data "${spec}": is not a data spec.${guess} Write one of:
  cifar10:DIR or cifar10:DIR#train (e.g. cifar10:data/cifar-10-batches-bin)
  cifar100:DIR or cifar100:DIR#train (e.g. cifar100:data/cifar-100-binary)
  folder:DIR, folder:DIR?fit=crop|pad|stretch or folder:DIR?size=WIDTHxHEIGHT (e.g. folder:photos)
  npy:IMAGES,LABELS (e.g. npy:x.npy,y.npy)
  sample (e.g. sample:cifar10)
 [data/spec]`);
  });
});

describe("cifar", () => {
  test("the archive's folder, or the folder that holds it, in file order", async () => {
    for (const dir of [root, cifar10, `${root}#test`]) {
      const dataset = await openDataset(`cifar10:${dir}`);
      expect(dataset).toMatchObject({ name: "cifar10:test", count: 2, labels: Int32Array.of(8, 1) });
      expect((await readPixels(dataset, [1]))[0]).toBe(Math.fround(2 / 255));
    }
  });

  test("#train joins the five batches", async () => {
    const dataset = await openDataset(`cifar10:${root}#train`);
    expect(dataset).toMatchObject({ name: "cifar10:train", count: 10 });
    expect([...dataset.labels]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
    expect((await readPixels(dataset, [8]))[0]).toBe(Math.fround(50 / 255));
  });

  test("cifar100 takes the fine labels", async () => {
    expect(await openDataset(`cifar100:${root}`)).toMatchObject({ name: "cifar100:test", labels: Int32Array.of(42) });
    expect((await openDataset(`cifar100:${cifar100}#train`)).labels).toEqual(Int32Array.of(43));
  });

  test("class names come from the archive when it has them", async () => {
    const file = join(cifar10, "batches.meta.txt");
    expect((await openDataset(`cifar10:${root}`)).classes?.[8]).toBe("ship");
    writeFileSync(file, "a\r\nb\nc\nd\ne\nf\ng\nh\nboat\nj\n\n");
    expect((await openDataset(`cifar10:${root}`)).classes).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
      "f",
      "g",
      "h",
      "boat",
      "j",
    ]);
    writeFileSync(file, "a\nb\n");
    await expect(openDataset(`cifar10:${root}`)).rejects.toThrow(
      `${file}: got 2 class names, expected 10, one per line. Restore the file, or remove it to use the standard names. [data/format]`,
    );
  });

  test("a folder without the files, and one that does not exist", async () => {
    const text = (dir: string) =>
      `cifar100:${dir}: there is no test.bin in this folder or in its cifar-100-binary. Give the folder of the unpacked binary archive. [data/missing]`;
    await expect(openDataset(`cifar100:${cifar10}`)).rejects.toThrow(text(cifar10));
    await expect(openDataset(`cifar100:${join(root, "none")}`)).rejects.toThrow(text(join(root, "none")));
  });

  test("a truncated file is named", async () => {
    const dir = join(root, "cut");
    mkdirSync(dir);
    writeFileSync(join(dir, "test_batch.bin"), cifarRecord([0]).subarray(0, 1000));
    await expect(openDataset(`cifar10:${dir}`)).rejects.toThrow(
      `${join(dir, "test_batch.bin")}: got 1000 bytes, expected a multiple of 3073`,
    );
  });

  test("a folder in the place of a file cannot be read", async () => {
    const dir = join(root, "odd");
    mkdirSync(join(dir, "test_batch.bin"), { recursive: true });
    await expect(openDataset(`cifar10:${dir}`)).rejects.toThrow(
      /^.*test_batch\.bin: cannot be read \(it is a folder, expected a plain file\)\. Check its kind and permissions\. \[file\/unreadable\]$/,
    );
  });
});

describe("npy", () => {
  const [x, y] = [join(root, "x.npy"), join(root, "y.npy")];

  test("a pair of files", async () => {
    writeFileSync(x, writeNpy(fromNumbers("float32", [1, 1, 1, 2], [0.5, 1])));
    writeFileSync(y, writeNpy(fromNumbers("int64", [1], [3])));
    const dataset = await openDataset(`npy:${x},${y}`);
    expect(dataset).toMatchObject({ name: "npy:x.npy", count: 1, labels: Int32Array.of(3) });
    expect(await readPixels(dataset)).toEqual(Float32Array.of(0.5, 1));
  });

  test.each(["x.npy", "x.npy,", ",y.npy", "a,b,c"])("npy:%s is no pair", async (argument) => {
    await expect(openDataset(`npy:${argument}`)).rejects.toThrow(
      `npy:${argument}: expected two files. Write npy:IMAGES.npy,LABELS.npy. [data/spec]`,
    );
  });

  test("a missing file is named", async () => {
    const none = join(root, "none.npy");
    await expect(openDataset(`npy:${none},${none}`)).rejects.toThrow(
      `${none}: does not exist. Check the path. [data/missing]`,
    );
  });
});
