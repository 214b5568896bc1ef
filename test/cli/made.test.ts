/** @file Records and reports of calibrations and profiles say how they were made, as audits do. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../src/core/version.js";
import { ENGINE_VERSION } from "../../src/node/ort-node/index.js";
import { calibrationRecordSchema } from "../../src/schema/calibration-record.js";
import { profileRecordSchema } from "../../src/schema/profile-record.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const digest = createHash("sha256").update(readFileSync(model)).digest("hex");
const data = npyPair(folder, "data", { count: 200 });
const [json, report] = [join(folder, "record.json"), join(folder, "report.html")];

test.each([
  ["calibrate", calibrationRecordSchema, ["--target", "budget:60%", "--no-speed"]],
  ["profile", profileRecordSchema, ["--thresholds", "0.5", "--samples", "2", "--batch", "1", "--rounds", "1"]],
] as const)("dynn %s: date, command, digest, versions and machine", async (name, schema, options) => {
  const argv = [name, model, "--data", data, ...options, "--threads", "1", "--json", json, "--report", report];
  const before = Date.now();
  expect(await cli(...argv)).toMatchObject({ code: 0, err: "" });
  const record = schema.parse(JSON.parse(readFileSync(json, "utf8")));
  const { made, tool } = record;
  expect(tool.version).toBe(VERSION);
  expect(record.model.sha256).toBe(digest);
  expect(made?.command).toBe(`dynn ${argv.join(" ")}`);
  expect(made?.machine).toMatchObject({ engine: `onnxruntime ${ENGINE_VERSION}`, threads: 1 });
  expect(Date.parse(made?.date ?? "")).toBeGreaterThanOrEqual(before);
  if ("machine" in record) expect(record.machine).toEqual(made?.machine);
  const page = readFileSync(report, "utf8");
  expect(page).toContain(digest);
  expect(page).toContain(`onnxruntime ${ENGINE_VERSION}`);
  expect(page).toMatch(/<dt>date<\/dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d UTC<\/dd>/);
  expect(page.replace(/<[^>]*>/g, "")).toMatch(/--threads\s+1/);
});
