import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { subset } from "../../../src/data/dataset.js";
import { openDataset } from "../../../src/node/data/open.js";
import { packageFile } from "../../../src/node/data/package-root.js";
import { readPixels } from "../../data/support.js";
import { cifar10Folder, hasCifar10 } from "../../support/cifar.js";

describe.skipIf(!hasCifar10)("against CIFAR-10 itself (needs the archive: DYNN_CIFAR or ../shared)", () => {
  const folder = cifar10Folder();
  test("the sample is the test records that it names, chosen as it says", async () => {
    const { records, provenance } = JSON.parse(readFileSync(packageFile("samples", "cifar10-500.json"), "utf8"));
    const [sample, test10k, train] = await Promise.all(
      ["sample", `cifar10:${folder}`, `cifar10:${folder}#train`].map(openDataset),
    );
    const claimed = subset(test10k, records);
    expect(test10k).toMatchObject({ count: 10000, classes: sample.classes });
    expect(train.count).toBe(50000);
    expect(claimed.labels).toEqual(sample.labels);
    expect(Buffer.from((await readPixels(claimed)).buffer).equals(Buffer.from((await readPixels(sample)).buffer))).toBe(
      true,
    );
    const file = readFileSync(join(folder, "cifar-10-batches-bin/test_batch.bin"));
    expect(createHash("sha256").update(file).digest("hex")).toBe(provenance.batchSha256);
    expect(choose(test10k.labels, provenance.seed)).toEqual(records);
  });
});

/** The choice as samples/README.md words it. */
function choose(labels: Int32Array, seed: number): number[] {
  const key = (record: number) => createHash("sha256").update(`${seed}:${record}`).digest("hex");
  const sorted = Array.from(labels, (label, record) => ({ record, label, key: key(record) })).sort((a, b) =>
    a.key < b.key ? -1 : 1,
  );
  const rounds = Array.from({ length: 50 }, () => [] as number[]);
  const taken = new Array<number>(10).fill(0);
  for (const { record, label } of sorted) rounds[taken[label]++]?.push(record);
  return rounds.flat();
}
