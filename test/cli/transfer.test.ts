/** @file `dynn transfer` as a command: tables, record, report, and calls that are refused. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { transferRecordSchema } from "../../src/schema/transfer-record.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const data = npyPair(folder, "d");
const [a, b] = ["a.onnx", "b.onnx"].map((name) => join(folder, name));
for (const path of [a, b]) writeFileSync(path, network());

const transfer = (...argv: readonly string[]) =>
  cli("transfer", ...argv, "--data", `npy:${data.replace(/^npy:/, "")}`, "--threshold", "0.5", "--threads", "1");

describe("dynn transfer", () => {
  it("prints a matrix for each attack, and writes the record and a report", async () => {
    const [json, report] = ["t.json", "t.html"].map((name) => join(folder, name));
    const ran = await transfer(a, b, "--attacks", "fgsm,pgd", "--eps", "32/255", "--json", json, "--report", report);
    expect(ran.err).toBe("");
    expect(ran.code).toBe(0);
    expect(ran.out).toContain("surrogate \\ target");
    const record = transferRecordSchema.parse(JSON.parse(readFileSync(json, "utf8")));
    expect(record.attacks.map(({ name, success }) => [name, success.length, success[0].length])).toEqual([
      ["fgsm", 2, 2],
      ["pgd", 2, 2],
    ]);
    // The two files are the same network.
    for (const { success } of record.attacks) expect(success[0][1]).toEqual(success[0][0]);
    expect(record.made?.command).toMatch(/^dynn transfer .*a\.onnx .*b\.onnx --attacks fgsm,pgd --eps 32\/255 /);
    expect(record.networks.map(({ sha256 }) => sha256)).toEqual(
      new Array(2).fill(createHash("sha256").update(network()).digest("hex")),
    );
    const page = readFileSync(report, "utf8");
    expect(page.match(/class="shade"/g)?.length).toBe(8);
    expect(page).not.toContain("NaN");
  });

  it("refuses a single network", async () => {
    const { code, err } = await transfer(a);
    expect([code, err]).toEqual([
      2,
      "error: transfer: got one network, expected at least two. Name another one. [cli/usage]\n",
    ]);
  });

  it("refuses an attack that it does not know", async () => {
    const { code, err } = await transfer(a, b, "--attacks", "pdg");
    expect(code).toBe(2);
    expect(err).toMatch(/^error: attacks: "pdg" is not the name of an attack\./);
  });
});

describe("an audit with a surrogate", () => {
  it("says on what the attacks searched", async () => {
    const ran = await cli(
      ...["audit", a, "--data", `npy:${data.replace(/^npy:/, "")}`, "--threshold", "0.5", "--threads", "1"],
      ...["--surrogate", b, "--attacks", "fgsm"],
    );
    expect(ran.err).toBe("");
    expect(ran.out).toContain("The attacks searched on b.onnx");
  });
});
