/** @file What `dynn audit` says of a call, on a small network. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSION } from "../../src/core/version.js";
import { ENGINE_VERSION } from "../../src/node/ort-node/index.js";
import { type AuditRecord, auditRecordSchema } from "../../src/schema/audit-record.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const data = npyPair(folder, "data", { count: 40 });
const CALL = ["audit", model, "--data", data, "--threshold", "0.5", "--threads", "1"];

async function record(...argv: readonly string[]): Promise<AuditRecord> {
  const { code, out, err } = await cli(...CALL, ...argv, "--json", "-");
  expect([code, err]).toEqual([0, ""]);
  return auditRecordSchema.parse(JSON.parse(out));
}

describe("--attacks none", () => {
  test("runs no attack and no curve", async () => {
    const { attacks, curves, clean } = await record("--attacks", "none");
    expect([attacks, curves]).toEqual([[], []]);
    expect(clean.accuracyPerExit).toHaveLength(3);
  });
});

describe("--samples", () => {
  test("above the number of records is said, in the record and in the table", async () => {
    const said = "npy:data-x.npy: 1000 samples were asked for, and it has 40; all are used";
    expect((await record("--attacks", "none", "--samples", "1000")).data).toMatchObject({ samples: 40, notes: [said] });
    expect((await cli(...CALL, "--attacks", "none", "--samples", "1000")).out).toContain(said);
  });

  test("up to the number of records is not", async () => {
    for (const more of [[], ["--samples", "40"], ["--samples", "39"]])
      expect((await record("--attacks", "none", ...more)).data.notes).toBeUndefined();
  });
});

describe("the record", () => {
  test("says when, with which command, on which machine and with which versions it was made", async () => {
    const before = Date.now();
    const { made, tool, model: audited } = await record("--attacks", "none", "--seed", "3");
    expect(tool.version).toBe(VERSION);
    expect(made?.machine).toMatchObject({ engine: `onnxruntime ${ENGINE_VERSION}`, threads: 1 });
    expect(made?.machine.runtime).toBe(`node ${process.versions.node}`);
    expect(Date.parse(made?.date ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(made?.date ?? "")).toBeLessThanOrEqual(Date.now());
    expect(made?.command).toBe(`dynn ${CALL.join(" ")} --attacks none --seed 3 --json -`);
    expect(audited.sha256).toBe(createHash("sha256").update(readFileSync(model)).digest("hex"));
  });

  test("and so does the report", async () => {
    const report = join(folder, "report.html");
    expect((await cli(...CALL, "--attacks", "none", "--report", report)).code).toBe(0);
    const page = readFileSync(report, "utf8");
    expect(page).toContain(createHash("sha256").update(readFileSync(model)).digest("hex"));
    expect(page).toContain(`onnxruntime ${ENGINE_VERSION}`);
    expect(page).toMatch(/<dt>date<\/dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d UTC<\/dd>/);
    expect(page.replace(/<[^>]*>/g, "")).toMatch(/--attacks\s+none/);
  });
});

describe("--keep", () => {
  test.skipIf(process.platform !== "linux")("in a place where no folder can be made fails at once", async () => {
    const { code, err } = await cli(...CALL, "--attacks", "fgsm", "--keep", "/proc/x/y");
    expect(code).toBe(2);
    expect(err).toMatch(/^error: \/proc\/x\/y: cannot be written .* Choose a folder .*\[file\/unwritable\]\n$/);
  });
});

describe("--seeds and --table", () => {
  const table = (ending: string) => join(folder, `results.${ending}`);
  test("print and write mean, standard deviation and interval over seeds, and the worst case", async () => {
    const call = [...CALL, "--attacks", "pgd,routed", "--eps", "16/255", "--radii", "0", "--seeds", "3"];
    const report = join(folder, "seeds.html");
    const { code, out, err } = await cli(...call, "--table", table("md"), "--report", report);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/Attacks over seeds 0 to 2\nattack +judged +robust % +sd +95 % of mean/);
    expect(out).toMatch(
      /Worst case over attacks, sample by sample\nbudget +answer +resist all +robust %\nL∞\s16\/255 +routed +\d+ of 40/,
    );
    expect(out).toContain(`wrote ${table("md")}\n`);
    expect(readFileSync(table("md"), "utf8")).toContain("| mean ± sd of 3 seeds, % |");
    const page = readFileSync(report, "utf8");
    expect(page).toContain("The attacks over seeds 0 to 2");
    expect(page).toContain("The worst case over attacks");
    expect(page).toMatch(/; \d+ of 40 resist all attacks within that budget\./);
  });

  test.each(["tex", "csv"])("a table that ends in .%s has that form", async (ending) => {
    expect((await cli(...CALL, "--attacks", "fgsm", "--radii", "0", "--table", table(ending))).code).toBe(0);
    expect(readFileSync(table(ending), "utf8")).toMatch(
      ending === "tex" ? /^% .*\n\\begin\{tabular\}/ : /^attack,goal,/,
    );
  });

  test("another ending is refused, and so are 0 seeds", async () => {
    expect((await cli(...CALL, "--table", "results.xlsx")).err).toBe(
      'error: --table: got "results.xlsx", expected a file that ends in .tex, .md, .csv. Write e.g. --table results.tex. [cli/value]\n',
    );
    expect((await cli(...CALL, "--seeds", "0")).code).toBe(2);
  });
});
