/** @file `dynn profile` on the bundled network: what it prints and writes has the right form. Times themselves are not judged here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { profileRecordSchema } from "../../src/schema/profile-record.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

it("prints tables and writes record and report, with a baseline", async () => {
  const [json, report] = [join(folder, "profile.json"), join(folder, "profile.html")];
  const argv = [
    "zoo:resnet20-joint",
    "--samples",
    "24",
    "--batch",
    "8,1",
    "--rounds",
    "2",
    "--rules",
    "max-softmax,patience",
  ];
  const { code, out, err } = await cli(
    "profile",
    ...argv,
    "--baseline",
    "zoo:resnet20-static",
    "--json",
    json,
    "--report",
    report,
    "--full",
  );
  expect([code, err]).toEqual([0, ""]);
  const record = profileRecordSchema.parse(JSON.parse(readFileSync(json, "utf8")));
  expect(record.batches).toEqual([1, 8]);
  expect(record.data).toMatchObject({ samples: 24, validation: { samples: 476 } });
  expect(record.static.macs).toBeLessThan(record.model.exits.at(-1)?.macs as number);
  expect(record.baseline?.name).toBe("resnet20-static");
  const own = record.points.find(({ name }) => name.includes("own policy"));
  expect(own?.exitCounts.reduce((a, b) => a + b)).toBe(24);
  for (const { timings } of record.points)
    for (const { msPerImage } of timings) expect(msPerImage.low).toBeGreaterThan(0);
  expect(own?.lost?.value).toBeCloseTo(record.static.accuracy.value - (own?.accuracy.value ?? 0), 12);
  expect(out.split("\n")[5]).toMatch(/^At batch 1: .* as fast\b.*(accurate \(95 %: ).*At batch 8: /);
  for (const text of ["Batch 1", "Batch 8", "own policy", "Sweep of each rule", `wrote ${report}`])
    expect(out).toContain(text);
  expect(readFileSync(report, "utf8")).toContain("How much of the saving is real");
}, 300_000);
