/** @file Folders whose classes are not called as in the model: case-01 of the strangers' cases, by every command that has labels. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { AuditRecord } from "../../src/schema/audit-record.js";
import { cli, temporaryFolder } from "./support.js";

const FOLDERS = resolve(import.meta.dirname, "../fixtures/cases/01-class-order-folder");
const folder = temporaryFolder();
const put = (name: string, json: unknown): string => {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(json));
  return file;
};

const audited = (name: string, ...options: string[]) =>
  cli("audit", "zoo:resnet20-static", "--data", `folder:${join(FOLDERS, name)}`, ...options, ...PLAIN);
const PLAIN = ["--attacks", "none", "--radii", "0", "--threads", "1"];
const recordOf = async (name: string, ...options: string[]): Promise<AuditRecord> =>
  JSON.parse((await audited(name, ...options, "--json", "-")).out);

describe("an audit on a folder", () => {
  test("with the model's class names says nothing of them", async () => {
    const { out } = await audited("f_named");
    expect(out).toContain("81.3 % (71.3-88.3)");
    expect(out).not.toMatch(/matched|Warning/);
  });

  test("with capital letters gives the same numbers and says which label each folder got", async () => {
    const [named, capital] = [await recordOf("f_named"), await recordOf("f_cap")];
    expect(capital.clean).toEqual(named.clean);
    expect(capital.data.notes?.join()).toMatch(
      /classes matched by name: 0 airplane, .*3 cat \(Cat\), .*8 ship \(Ship\)/,
    );
    expect((await audited("f_cap")).out).toContain("3 cat (Cat)");
  });

  test("with a part of the classes works and says so", async () => {
    const { data, clean, warnings } = await recordOf("f_subset");
    expect(data.notes?.join()).toContain("3 of the model's 10 classes are in the data): 3 cat, 5 dog, 6 frog");
    expect(clean.accuracyPerExit[0]).toBeGreaterThan(0.6);
    expect(warnings).toBeUndefined();
  });

  test("with unknown names is refused with both lists and a way out, which leads to the same numbers", async () => {
    const { code, err } = await audited("f_car");
    expect(code).toBe(1);
    expect(err).toMatch(/"car" is unknown to resnet20-static.*bird, car, cat, .*plane.*airplane, automobile, bird/);
    expect(err).toMatch(/--classes, --by-order/);
    const map = put("names.json", { car: "automobile", plane: 0 });
    expect((await recordOf("f_car", "--classes", map)).clean).toEqual((await recordOf("f_named")).clean);
  });

  test("in an order of its own is below the model's accuracy, as asked", async () => {
    const { data, clean } = await recordOf("f_car", "--by-order");
    expect(clean.accuracyPerExit[0]).toBeCloseTo(0.2875, 4);
    expect(data.notes?.join()).toContain("taken in their order: 0 airplane (bird), 1 automobile (car)");
  });

  test("at chance warns with reasons and with what was checked", async () => {
    const turned = Object.fromEntries(
      "airplane automobile bird cat deer dog frog horse ship truck".split(" ").map((name, i) => [name, (i + 1) % 10]),
    );
    const options = ["--classes", put("turned.json", turned)];
    const { warnings } = await recordOf("f_named", ...options);
    expect(warnings?.join()).toMatch(/not above chance \(10\.0 % for 10 classes\).*BGR.*Checked: .*normalises by mean/);
    expect((await audited("f_named", ...options)).out).toContain("Warning: folder:f_named: accuracy");
  });

  test.each([
    ["no object", [1], /expected an object/],
    ["a class that the model has not", { car: "tram", plane: 0 }, /"car", given as "tram", is unknown/],
    ["a number that the model has not", { car: 10, plane: 0 }, /given the class 10, and .* has 10 classes/],
  ])("is refused with a map that is or holds %s", async (_, json, message) => {
    const { code, err } = await audited("f_car", "--classes", put("bad.json", json));
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
  });
});

test("what a folder holds beside images is counted in output, record and report", async () => {
  const place = join(folder, "pets");
  cpSync(join(FOLDERS, "f_subset"), place, { recursive: true });
  mkdirSync(join(place, "horse"));
  for (let i = 0; i < 35; i++) writeFileSync(join(place, "cat", `${i}.heic`), "");
  const report = join(folder, "pets.html");
  const { out } = await cli("audit", "zoo:resnet20-static", "--data", `folder:${place}`, "--report", report, ...PLAIN);
  const said = ["folder:pets: no class, since without images: horse", "folder:pets: 35 files passed over: .heic"];
  for (const line of said) expect(out).toContain(line);
  for (const line of said) expect(readFileSync(report, "utf8")).toContain(line);
  const json = JSON.parse(
    (await cli("audit", "zoo:resnet20-static", "--data", `folder:${place}`, "--json", "-", ...PLAIN)).out,
  );
  expect(json.data.notes).toEqual([...said, expect.stringContaining("3 of the model's 10 classes")]);
});

const CALLS: readonly (readonly [string, readonly string[]])[] = [
  ["calibrate", ["zoo:resnet20-joint", "--data"]],
  ["profile", ["zoo:resnet20-joint", "--data"]],
  ["convert", ["zoo:resnet20-static", "-o", join(folder, "out.onnx"), "--data"]],
  [
    "train",
    ["resnet20", "--recipe", "static", "--init", "zoo:resnet20-static", "-o", join(folder, "out.onnx"), "--data"],
  ],
  ["classify", ["zoo:resnet20-joint"]],
];

test.each(CALLS)("dynn %s refuses unknown names too", async (command, before) => {
  const { code, err } = await cli(command, ...before, `folder:${join(FOLDERS, "f_car")}`);
  expect([code, err]).toEqual([1, expect.stringMatching(/"car" is unknown to .*--classes/)]);
});

test("dynn classify counts right answers by name", async () => {
  const { out } = await cli(
    "classify",
    "zoo:resnet20-static",
    `folder:${join(FOLDERS, "f_cap")}`,
    "--threads",
    "1",
    "--json",
    "-",
  );
  const { runs, notes } = JSON.parse(out);
  expect(runs[0].accuracy.value).toBeCloseTo(0.8125, 4);
  expect(notes.join()).toContain("3 cat (Cat)");
});

test("dynn train --init on classes in another order, fewer than the model's, learns the model's labels", async () => {
  // The model has ten classes; the folder has them under capital letters, which sort first.
  const out = join(folder, "further.onnx");
  const slow = ["--epochs", "1", "--lr", "1e-9", "--batch", "16", "--workers", "0", "--augment", "none"];
  const before = ["resnet20", "--recipe", "static", "--init", "zoo:resnet20-static", ...slow];
  const {
    code,
    err,
    out: said,
  } = await cli("train", ...before, "--data", `folder:${join(FOLDERS, "f_cap")}`, "-o", out);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  const { card } = JSON.parse((await cli("inspect", out, "--json", "-")).out);
  const notes: readonly string[] = card.data.notes;
  expect(notes.join()).toContain("Cat");
  for (const note of notes) {
    expect(said).toContain(note);
    expect(readFileSync(join(folder, "further.run", "report.html"), "utf8")).toContain(note.replaceAll('"', "&quot;"));
  }
  // With the folders' own order, 14 % of the images are right.
  const named = async (name: string) =>
    JSON.parse(
      (await cli("audit", out, "--data", `folder:${join(FOLDERS, name)}`, ...PLAIN, "--json", "-")).out,
    ) as AuditRecord;
  const [cap, subset] = [await named("f_cap"), await named("f_subset")];
  expect(cap.clean.accuracyPerExit[0]).toBeGreaterThan(0.6);
  expect(subset.clean.accuracyPerExit[0]).toBeGreaterThan(0.6);
  expect(cap.model.classes).toEqual((await recordOf("f_cap")).model.classes);
}, 120_000);
