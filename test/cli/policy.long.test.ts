/** @file Where the exit policy comes from: the model, the call, or a choice on records that are not reported. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { type PolicyFlags, policyOptions, resolvePolicyFlags } from "../../src/cli/shared/policy-options.js";
import type { Dataset } from "../../src/data/dataset.js";
import { openDataset } from "../../src/node/data/open.js";
import { openModel } from "../../src/node/models.js";
import { type AuditRecord, auditRecordSchema } from "../../src/schema/audit-record.js";
import type { Policy } from "../../src/schema/policy.js";
import type { ResolvedPolicy } from "../../src/studies/policy.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const STORED: Policy = { rule: "margin", thresholds: [0.25, 0.125], fallback: "most-confident" };
const plain = put("plain.onnx", network());
const stored = put("stored.onnx", network({ policy: STORED }));
const single = put("single.onnx", network({ exits: 1 }));
const data = npyPair(folder, "data", { count: 200 });
const other = npyPair(folder, "other", { count: 120, seed: 2 });

async function audited(model: string, ...options: readonly string[]): Promise<AuditRecord> {
  const argv = ["audit", model, "--data", data, "--attacks", "none", "--radii", "0", "--json", "-", ...options];
  const { code, out, err } = await cli(...argv);
  expect([code, err]).toEqual([0, ""]);
  return auditRecordSchema.parse(JSON.parse(out));
}

async function policyOf(model: string, ...options: readonly string[]): Promise<Policy> {
  const { rule, thresholds, fallback } = (await audited(model, ...options)).clean.routed;
  return { rule, thresholds, fallback };
}

/** What a call resolves to, with the flags read as the command reads them. */
async function resolved(samples: number | undefined, ...options: readonly string[]): Promise<ResolvedPolicy> {
  const command = policyOptions()
    .reduce((made, one) => made.addOption(one), new Command("audit"))
    .parse([...options], { from: "user" });
  const dataset = await openDataset(data);
  return resolvePolicyFlags(command.opts<PolicyFlags>(), await openModel(plain), dataset, samples, 0);
}

async function images({ count, shape, read }: Dataset): Promise<string[]> {
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Float32Array(count * size);
  await read([...Array(count).keys()], pixels);
  return Array.from({ length: count }, (_, i) => pixels.subarray(i * size, (i + 1) * size).join());
}

describe("the exit policy", () => {
  it("is the one stored in the model", async () => {
    expect(await policyOf(stored)).toEqual(STORED);
  });

  it("is the stored one of the bundled network", async () => {
    const { out } = await cli("inspect", "zoo:resnet20-joint", "--json", "-");
    const { policy } = JSON.parse(out) as { policy: Policy };
    const argv = ["audit", "zoo:resnet20-joint", "--samples", "16", "--attacks", "none", "--radii", "0", "--json", "-"];
    const { clean } = auditRecordSchema.parse(JSON.parse((await cli(...argv)).out));
    expect(clean.routed).toMatchObject(policy);
  });

  it("takes one threshold for all early exits", async () => {
    expect(await policyOf(plain, "--threshold", "0.8")).toEqual({
      rule: "max-softmax",
      thresholds: [0.8, 0.8],
      fallback: "final",
    });
  });

  it("takes one threshold per early exit, and percentages", async () => {
    expect((await policyOf(plain, "--threshold", "0.9,40%")).thresholds).toEqual([0.9, 0.4]);
  });

  it("has temperatures where the model's has, in the record and in what is printed", async () => {
    const temperatures = [1.5, 0.75, 2];
    const scaled = put("scaled.onnx", network({ policy: { ...STORED, temperatures } }));
    expect((await audited(scaled)).clean.routed.temperatures).toEqual(temperatures);
    expect((await audited(stored)).clean.routed).not.toHaveProperty("temperatures");
    const { out } = await cli("inspect", scaled);
    expect(out).toContain("margin, thresholds 0.25, 0.125, fallback most-confident, temperatures 1.5, 0.75, 2\n");
    expect((await cli("inspect", stored)).out).not.toContain("temperatures");
    const found = JSON.parse((await cli("inspect", scaled, "--json", "-")).out);
    expect(found.policy.temperatures).toEqual(temperatures);
    const argv = ["--data", data, "--attacks", "none", "--radii", "0", "--report", join(folder, "scaled.html")];
    expect((await cli("audit", scaled, ...argv)).out).toContain("fallback most-confident, temperatures 1.5, 0.75, 2)");
    expect(readFileSync(join(folder, "scaled.html"), "utf8")).toContain("1.5, 0.75, 2");
  });

  it("takes never for an exit, as a file may hold it, and comes back as it was written", async () => {
    const closed = put("closed.onnx", network({ policy: { ...STORED, thresholds: [2, 0.125] } }));
    expect((await policyOf(plain, "--threshold", "never")).thresholds).toEqual([2, 2]);
    expect(await policyOf(stored, "--threshold", "never,0.125")).toEqual(await policyOf(closed));
    expect(await policyOf(stored, "--threshold", "2,0.125")).toEqual(await policyOf(closed));
    expect((await policyOf(plain, "--rule", "entropy", "--threshold", "never,0.5")).thresholds).toEqual([-1, 0.5]);
    expect((await cli("inspect", closed)).out).toContain("margin, thresholds never, 0.125, fallback");
  });

  it("keeps the stored rule and fallback under another threshold", async () => {
    expect(await policyOf(stored, "--threshold", "0.5")).toEqual({ ...STORED, thresholds: [0.5, 0.5] });
  });

  it("keeps the stored thresholds under another fallback", async () => {
    expect(await policyOf(stored, "--fallback", "final")).toEqual({ ...STORED, fallback: "final" });
  });

  it.each([
    ["entropy", "0.7", [0.7, 0.7]],
    ["margin", "0.3", [0.3, 0.3]],
    ["patience", "2", [2]],
  ] as const)("takes the rule %s", async (rule, threshold, thresholds) => {
    expect(await policyOf(plain, "--rule", rule, "--threshold", threshold)).toEqual({
      rule,
      thresholds,
      fallback: "final",
    });
  });

  it.each(["max-softmax", "entropy", "margin", "patience"])("chooses thresholds for the rule %s", async (rule) => {
    const r = await audited(plain, "--rule", rule);
    expect(r.clean.routed.rule).toBe(rule);
    expect(r.clean.routed.thresholds).toHaveLength(rule === "patience" ? 1 : 2);
    expect(r.data.validation).toEqual({ name: "npy:data-x.npy#validation", samples: 100 });
  });

  it("chooses thresholds anew when the stored rule is replaced", async () => {
    expect((await audited(stored, "--rule", "entropy")).data.validation?.samples).toBe(100);
  });

  it("of a model with a single exit has no thresholds", async () => {
    const r = await audited(single);
    expect(r.clean.routed).toMatchObject({ thresholds: [], exitCounts: [200], meanCostFraction: 1 });
  });
});

describe("thresholds that are chosen", () => {
  it.each(["rad:5%", "budget:50%"])("by %s come from records that are not reported", async (threshold) => {
    const { data: reported, policy } = await resolved(90, "--threshold", threshold);
    if (policy.kind !== "calibrated") throw new Error("a policy was to be chosen");
    expect([reported.count, policy.validation.count]).toEqual([90, 110]);
    const chosenOn = new Set(await images(policy.validation));
    expect(chosenOn.size).toBe(110);
    expect((await images(reported)).filter((image) => chosenOn.has(image))).toEqual([]);
  });

  it("say in the record what they were chosen on", async () => {
    const r = await audited(plain, "--threshold", "budget:50%", "--samples", "90", "--validation-samples", "60");
    expect(r.data).toMatchObject({ samples: 90, validation: { name: "npy:data-x.npy#validation", samples: 60 } });
  });

  it("come from other data when these are named", async () => {
    const r = await audited(plain, "--validation", other, "--validation-samples", "70");
    expect(r.data).toMatchObject({ samples: 200, validation: { name: "npy:other-x.npy", samples: 70 } });
  });

  it("never come from reported images, whatever the data are called", async () => {
    const { data: reported, policy } = await resolved(120, "--validation", data);
    if (policy.kind !== "calibrated") throw new Error("a policy was to be chosen");
    const shown = new Set(await images(reported));
    expect(policy.validation.count).toBe(80);
    expect((await images(policy.validation)).filter((image) => shown.has(image))).toEqual([]);
  });

  it("leave at least fifty records to choose on when nothing is said", async () => {
    const few = npyPair(folder, "few", { count: 80 });
    const argv = ["audit", plain, "--data", few, "--attacks", "none", "--radii", "0", "--json", "-"];
    const r = auditRecordSchema.parse(JSON.parse((await cli(...argv)).out));
    expect([r.data.samples, r.data.validation?.samples]).toEqual([30, 50]);
  });

  it("differ between the goals: a budget of the first exit's cost sends every image out there", async () => {
    const cheap = await audited(plain, "--threshold", "budget:21%");
    expect(cheap.clean.routed.meanCostFraction).toBeLessThan(0.22);
    const dear = await audited(plain, "--threshold", "budget:100%");
    expect(dear.clean.routed.meanCostFraction).toBeGreaterThanOrEqual(cheap.clean.routed.meanCostFraction);
  });
});

describe("the table", () => {
  const table = async (...options: readonly string[]): Promise<string> => {
    const argv = ["audit", plain, "--data", data, "--attacks", "none", "--radii", "0", ...options];
    return (await cli(...argv)).out.split("\n").find((line) => line.startsWith("Routed")) ?? "";
  };

  it("shows one threshold when all are equal, else each", async () => {
    expect(await table("--threshold", "0.8,0.8")).toContain("(max-softmax, threshold 0.8, fallback final)");
    expect(await table("--threshold", "0.8,0.7")).toContain("(max-softmax, threshold 0.8, 0.7, fallback final)");
  });

  it("says what thresholds were chosen on", async () => {
    expect(await table("--threshold", "rad:50%")).toContain("chosen on 100 other samples");
  });
});
