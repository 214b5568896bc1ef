import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openDataset } from "../../../src/node/data/open.js";
import { packageFile } from "../../../src/node/data/package-root.js";
import { readPixels } from "../../data/support.js";

const manifest = JSON.parse(readFileSync(packageFile("samples", "cifar10-500.json"), "utf8"));

describe("the bundled sample", () => {
  test("holds 50 images of each class, each record once", async () => {
    const dataset = await openDataset("sample");
    expect(dataset).toMatchObject({ name: "sample:cifar10", count: 500, shape: [3, 32, 32] });
    expect(dataset.classes).toHaveLength(10);
    for (let label = 0; label < 10; label++) expect(dataset.labels.filter((other) => other === label)).toHaveLength(50);
    expect(new Set(manifest.records).size).toBe(500);
  });

  test("has the pixels whose hash its provenance states", async () => {
    const pixels = await readPixels(await openDataset("sample:cifar10"));
    const bytes = Uint8Array.from(pixels, (value) => Math.round(value * 255));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(manifest.provenance.pixelsSha256);
  });

  test("holds every class once in each ten images, so that any beginning is balanced", async () => {
    const { labels } = await openDataset("sample");
    for (let i = 0; i < 500; i += 10) expect(new Set(labels.subarray(i, i + 10)).size).toBe(10);
  });
});
