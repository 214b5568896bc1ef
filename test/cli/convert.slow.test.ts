/** @file `dynn convert` from end to end, on a small network without exits and small images. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.js";
import { prune } from "../../src/graph/passes/prune.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { conversionRecordSchema } from "../../src/schema/conversion-record.js";
import { modelCardSchema } from "../../src/schema/model-card.js";
import { cli, filesIn, network, npyPair, type Ran, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = npyPair(folder, "train", { count: 600 });
const test = npyPair(folder, "test", { count: 40, seed: 2 });
const deep = network({ exits: 4 });
writeFileSync(at("many.onnx"), deep);

/** The same with the last of its exits alone. */
const { graph } = readModel(deep);
writeFileSync(at("plain.onnx"), writeModel({ graph: { ...graph, outputs: graph.outputs.slice(-1) } }));

const SMALL = ["--data", data, "--epochs", "2", "--batch", "50", "--workers", "0", "--head", "pool-linear"];
const convert = (out: string, ...argv: readonly string[]): Promise<Ran> =>
  cli("convert", at("plain.onnx"), ...SMALL, ...argv, "-o", at(out));
const told = (text: string): string => text.replaceAll(`${folder}/`, "");
const bytes = (name: string): Buffer => readFileSync(at(name));

describe("dynn convert", () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await convert("a.onnx", "--test", test);
  });

  it("says where exits stand and why, the verdict, how accurate exits are, before and after, and what to try", () => {
    expect([ran.code, told(ran.err).split("\n")[0]]).toEqual([0, expect.stringMatching(/^epoch 1\/2 /)]);
    const out = told(ran.out);
    expect(out).toMatch(/place +shape +cost +head +exit +why not/);
    expect(out).toMatch(/\[n,6,8,8\] +\d+\.\d % +\d+\.\d % +exit0/);
    expect(out).toMatch(/\nplain\.onnx with early exits\n(At batch 1: |No faster network: )/);
    expect(out).toMatch(/The heads learned from 420 images in 16 steps.*too little to learn from: 16 steps are few/);
    expect(out).toMatch(/exit +cost +learned \(420\) +validation \(180\) +test \(40\)/);
    expect(out).toMatch(
      /\n40 test images[\s\S]*\nbefore: final exit +\d+\.\d % .* 100\.0 %[\s\S]*\nafter: max-softmax /,
    );
    expect(out).toMatch(/What to try\n[\s\S]*`dynn convert --steps 1000`/);
    expect(out).toMatch(/wrote a\.onnx\nwrote a\.run\/report\.html\n$/);
  });

  it("writes a report and a record of the conversion, whose numbers are those of the card", () => {
    const record = conversionRecordSchema.parse(JSON.parse(bytes("a.run/conversion.json").toString()));
    const card = modelCardSchema.parse(JSON.parse(bytes("a.run/card.json").toString()));
    expect(record.exits.map(({ test: found }) => found?.value)).toEqual(
      card.exits.map((e) => (e.test?.right ?? 0) / 40),
    );
    expect(record.outcome).toMatchObject({ records: "test", samples: 40 });
    expect(record.training).toMatchObject({ batch: 50, steps: 16, planned: 16 });
    const digest = createHash("sha256").update(bytes("plain.onnx")).digest("hex");
    expect([record.model.sha256, record.made?.command]).toEqual([digest, expect.stringMatching(/^dynn convert /)]);
    const page = bytes("a.run/report.html").toString();
    for (const text of [digest, "Conversion to early exits", "Where exits stand", "Before and after", "What to try"])
      expect(page).toContain(text);
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it("keeps a run folder as dynn train does, with a card that the file holds too", async () => {
    expect(filesIn(at("a.run"))).toEqual([
      "card.json",
      "checkpoint.safetensors",
      "config.json",
      "conversion.json",
      "metrics.jsonl",
      "report.html",
    ]);
    const card = modelCardSchema.parse(JSON.parse(bytes("a.run/card.json").toString()));
    expect(card).toMatchObject({
      architecture: "plain.onnx",
      width: null,
      training: { recipe: "ic-distill", epochs: 2 },
    });
    expect(card.placement).toEqual({ cost: "macs" });
    const { out } = await cli("inspect", at("a.onnx"), "--json", "-");
    expect(JSON.parse(out).card).toEqual(card);
    expect(JSON.parse(out).policy).toMatchObject({ rule: "max-softmax" });
  });

  it("writes the weights of the source, and puts no normalisation in front of a model that has none", async () => {
    const [before, after] = [await loadModel(at("plain.onnx")), await loadModel(at("a.onnx"))];
    // The early heads of the source lead to no output of it, and are left behind.
    const read = new Set(prune(before.graph).initializers.keys());
    expect(read.size).toBe(5);
    for (const name of read) expect(after.graph.initializers.get(name)).toEqual(before.graph.initializers.get(name));
    expect([...after.graph.initializers.keys()].some((name) => name.startsWith("normalization"))).toBe(false);
    expect(after.metadata.has("dynn.normalization")).toBe(false);
  });

  it("writes a file that audits with its own policy to what the command said", async () => {
    const card = modelCardSchema.parse(JSON.parse(bytes("a.run/card.json").toString()));
    const argv = ["--data", test, "--samples", "40", "--attacks", "none", "--radii", "0"];
    const { code, out } = await cli("audit", at("a.onnx"), ...argv, "--json", "-");
    expect(code).toBe(0);
    expect(JSON.parse(out).clean.accuracyPerExit).toEqual(card.exits.map((e) => (e.test?.right ?? 0) / 40));
  });

  it("is known to calibrate and profile by its card: they say that its heads learned from the data", async () => {
    const said = "by the model card, the heads learned from 420 records of it";
    const outputs = ["--json", at("seen.json"), "--report", at("seen.html")];
    const calibrated = await cli(
      "calibrate",
      at("a.onnx"),
      "--data",
      data,
      "--target",
      "budget:100%",
      "--no-speed",
      ...outputs,
    );
    expect([calibrated.code, calibrated.err]).toEqual([0, ""]);
    const thresholds = [
      "--thresholds",
      "0.5",
      "--samples",
      "16",
      "--batch",
      "1",
      "--rounds",
      "2",
      "--rules",
      "max-softmax",
    ];
    expect(calibrated.out).toContain(said);
    expect(JSON.parse(bytes("seen.json").toString()).warnings.join()).toContain(said);
    expect(bytes("seen.html").toString()).toContain(said);
    const profiled = await cli("profile", at("a.onnx"), "--data", data, ...thresholds, ...outputs);
    expect([profiled.code, profiled.out.includes(said)]).toEqual([0, true]);
    expect(JSON.parse(bytes("seen.json").toString()).warnings.join()).toContain(said);
    const other = await cli("profile", at("a.onnx"), "--data", test, ...thresholds);
    expect([other.code, other.out.includes("by the model card")]).toEqual([0, false]);
  });

  it("distils, and leaves the policy out when asked to", async () => {
    const { code, out } = await convert("d.onnx", "--recipe", "distill", "--temperature", "4", "--no-policy");
    expect([code, out.includes("No policy was asked for")]).toEqual([0, true]);
    const card = modelCardSchema.parse(JSON.parse(bytes("d.run/card.json").toString()));
    expect(card.training).toMatchObject({ recipe: "ic-distill", distill: { temperature: 4, weight: 0.5 } });
    expect((await loadModel(at("d.onnx"))).metadata.has("dynn.policy")).toBe(false);
  });

  it("puts new exits in place of those that a model has, and says so", async () => {
    const { code, err } = await cli("convert", at("many.onnx"), ...SMALL, "--exits", "50", "-o", at("m.onnx"));
    expect([code, told(err).split("\n")[0]]).toEqual([0, "many.onnx: new exits replace exit0, exit1, exit2"]);
  });

  it("by measured cost says so, and keeps the times that it began with when it goes on", async () => {
    const timed = ["--exits", "30,60", "--cost", "time", "--time-batch", "3"];
    const argv = ["convert", at("plain.onnx"), ...SMALL, ...timed, "-o", at("t.onnx")];
    const printed: string[] = [];
    await run(argv, {
      out: (text) => printed.push(text),
      err: (text) => {
        if (text.startsWith("epoch 1/")) process.emit("SIGINT", "SIGINT");
      },
    });
    expect(printed.join("")).toContain("Places for an exit, cost measured at batch 3");
    const kept = JSON.parse(bytes("t.run/config.json").toString()).settings.placement;
    expect(kept).toMatchObject({ cost: "time", batch: 3 });
    const again = await cli(...argv, "--resume");
    expect([again.code, again.err.split("\n")[0]]).toEqual([0, "continuing from the end of epoch 1"]);
    const card = modelCardSchema.parse(JSON.parse(bytes("t.run/card.json").toString()));
    expect(card.placement).toEqual(kept);
  });

  it("interrupted and resumed, writes the same bytes", async () => {
    const argv = ["convert", at("plain.onnx"), ...SMALL, "-o", at("r.onnx")];
    const stopped = await run(argv, {
      out: () => {},
      err: (text) => {
        if (text.startsWith("epoch 1/")) process.emit("SIGINT", "SIGINT");
      },
    });
    expect([stopped, filesIn(folder).includes("r.onnx")]).toEqual([130, false]);
    const again = await cli(...argv, "--resume");
    expect([again.code, again.err.split("\n")[0]]).toEqual([0, "continuing from the end of epoch 1"]);
    await convert("whole.onnx");
    expect(bytes("r.onnx").equals(bytes("whole.onnx"))).toBe(true);
  });
});
