import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NOTHING_SPENT } from "../../src/attacks/attack.js";
import { readNpy } from "../../src/data/npy.js";
import { folderStore } from "../../src/node/run-store.js";
import type { StoredRun } from "../../src/studies/audit/index.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-keep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run: StoredRun = {
  seconds: 1.5,
  outcomes: [
    { image: Float32Array.of(0, 0.25, 1), eligible: true, success: true, spent: { ...NOTHING_SPENT, gradients: 3 } },
    {
      image: Float32Array.of(0.5, 0.125, 0),
      eligible: false,
      success: true,
      spent: { ...NOTHING_SPENT, gradients: 0 },
    },
  ],
};

test("a kept run comes back as it was, under its fingerprint alone", async () => {
  const store = await folderStore(join(folder, "a"));
  await store.save("pgd", "f1", run);
  expect(await store.load("pgd", "f1")).toEqual(run);
  await expect(store.load("pgd", "f2")).rejects.toMatchObject({ code: "file/other-run" });
  expect(await store.load("fgsm", "f1")).toBeUndefined();
});

test("parts of an unfinished run come back as one, and go when it is finished", async () => {
  const place = join(folder, "parts");
  const store = await folderStore(place);
  const [first, second] = run.outcomes;
  await store.savePart("pgd", "f", { outcomes: new Map([[4, first]]), seconds: 2 });
  await store.savePart("pgd", "f", { outcomes: new Map([[1, second]]), seconds: 3 });
  await store.savePart("pgd", "other", { outcomes: new Map([[0, second]]), seconds: 9 });
  expect(await store.loadParts("pgd", "f")).toEqual({
    outcomes: new Map([
      [4, first],
      [1, second],
    ]),
    seconds: 5,
  });
  expect(await store.load("pgd", "f")).toBeUndefined();
  await store.save("pgd", "f", run);
  store.close();
  expect(readdirSync(place).sort()).toEqual(["pgd.json", "pgd.npy"]);
});

test("the adversarial images lie there as NAME.npy, whatever the attack is called", async () => {
  const place = join(folder, "b");
  const store = await folderStore(place);
  await store.save("PGD, final exit, radius 0.1/../x", "f", run);
  store.close();
  expect(readdirSync(place).sort()).toEqual([
    "PGD_final_exit_radius_0.1_.._x.json",
    "PGD_final_exit_radius_0.1_.._x.npy",
  ]);
  expect(readNpy(readFileSync(join(place, "PGD_final_exit_radius_0.1_.._x.npy")), "x")).toEqual({
    dtype: "float32",
    dims: [2, 3],
    data: Float32Array.of(0, 0.25, 1, 0.5, 0.125, 0),
  });
});

test("what is damaged, cut short or of another kind is left alone and not used", async () => {
  const place = join(folder, "c");
  const store = await folderStore(place);
  await store.save("pgd", "f", run);
  const json = readFileSync(join(place, "pgd.json"), "utf8");
  writeFileSync(join(place, "pgd.json"), json.slice(0, 20));
  expect(await store.load("pgd", "f")).toBeUndefined();
  writeFileSync(join(place, "pgd.json"), json);
  truncateSync(join(place, "pgd.npy"), 130);
  expect(await store.load("pgd", "f")).toBeUndefined();
});

test("a place that is no folder is refused", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(folderStore(join(folder, "file"))).rejects.toMatchObject({ code: "file/unwritable" });
});

test("attacks with long names are kept apart under names that file systems take", async () => {
  const store = await folderStore(join(folder, "long"));
  const [one, other] = ["1", "2"].map((end) => `${"long ".repeat(80)}${end}`) as [string, string];
  await store.save(one, "f", run);
  expect(await store.load(one, "f")).toEqual(run);
  expect(await store.load(other, "f")).toBeUndefined();
});

test("a folder is one process's at a time", async () => {
  const place = join(folder, "locked");
  const store = await folderStore(place);
  await expect(folderStore(place)).rejects.toMatchObject({ code: "file/locked" });
  store.close();
  (await folderStore(place)).close();
});
