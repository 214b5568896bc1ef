/** @file `dynn calibrate`: what it writes, what it keeps apart, what it refuses. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { commons } from "../../src/cli/shared/common-options.js";
import { type SplitFlags, splitRecords } from "../../src/cli/shared/policy-options.js";
import { concat, type Dataset } from "../../src/data/dataset.js";
import type { ReportSplit } from "../../src/data/split.js";
import { openDataset } from "../../src/node/data/open.js";
import { openModel } from "../../src/node/models.js";
import { patchMetadata } from "../../src/onnx/patch-metadata.js";
import { readModel } from "../../src/onnx/read.js";
import { type CalibrationRecord, calibrationRecordSchema } from "../../src/schema/calibration-record.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const model = put("model.onnx", network());
const single = put("single.onnx", network({ exits: 1 }));
const data = npyPair(folder, "data", { count: 200 });
const place = (name: string): string => join(folder, name);
const LOOSE = ["--target", "budget:60%"] as const;

async function calibrated(...options: readonly string[]): Promise<CalibrationRecord> {
  const { code, out, err } = await cli("calibrate", model, "--data", data, "--json", "-", ...options);
  expect([code, err]).toEqual([0, ""]);
  return calibrationRecordSchema.parse(JSON.parse(out));
}

describe("the model that is written", () => {
  it("holds the policy, temperatures too, and reads back as the record has it", async () => {
    const record = await calibrated(...LOOSE, "--thresholds", "per-exit", "--temperature", "-o", place("out.onnx"));
    const { policy } = await openModel(place("out.onnx"));
    expect(policy).toEqual(record.policy);
    expect(policy?.temperatures).toHaveLength(3);
  });

  it("is the model that was read, bit by bit, but for its policy", async () => {
    await calibrated(...LOOSE, "-o", place("again.onnx"));
    const [before, after] = [readFileSync(model), readFileSync(place("again.onnx"))];
    const policy = readModel(after).metadata.get("dynn.policy") ?? "";
    expect([...patchMetadata(before, new Map([["dynn.policy", policy]]))]).toEqual([...after]);
    expect([...after.subarray(0, before.length)]).toEqual([...before]);
  });

  it("routes in an audit of the same records to the figures of the calibration", async () => {
    const record = await calibrated(...LOOSE, "--temperature", "-o", place("audited.onnx"));
    const argv = [
      "audit",
      place("audited.onnx"),
      "--data",
      data,
      "--samples",
      "100",
      "--attacks",
      "none",
      "--radii",
      "0",
    ];
    const audit = JSON.parse((await cli(...argv, "--json", "-")).out);
    expect(audit.clean.routed.accuracy).toBeCloseTo(record.test.accuracy.value, 12);
    expect(audit.clean.routed.exitCounts).toEqual(record.test.exitCounts);
  });

  it("may take the place of the one that was read", async () => {
    const own = put("own.onnx", network());
    expect((await cli("calibrate", own, "--data", data, ...LOOSE, "-o", own)).code).toBe(0);
    expect((await openModel(own)).policy?.rule).toBe("max-softmax");
  });
});

/** Images as text. */
async function images({ count, shape, read }: Dataset): Promise<string[]> {
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Float32Array(count * size);
  await read([...Array(count).keys()], pixels);
  return Array.from({ length: count }, (_, i) => pixels.subarray(i * size, (i + 1) * size).join());
}

describe("validation and test records", () => {
  const takerOf = ({ shape, classes }: Dataset) => ({
    name: "taker",
    classes: classes?.length ?? 10,
    classNames: classes,
    input: { shape: ["n", ...shape] },
  });
  const split = async (
    from: Dataset,
    samples: number | undefined,
    ...options: readonly string[]
  ): Promise<ReportSplit> => {
    const command = commons("validation", "validationSamples")
      .reduce((made, one) => made.addOption(one), new Command("calibrate"))
      .parse([...options], { from: "user" });
    return splitRecords(command.opts<SplitFlags>(), takerOf(from), from, samples, 0);
  };
  const shared = async ({ reported, validation }: ReportSplit): Promise<string[]> => {
    const seen = new Set(await images(reported));
    return (await images(validation)).filter((image) => seen.has(image));
  };

  it("share no image when they come from one data set", async () => {
    const parts = await split(await openDataset(data), undefined);
    expect([parts.reported.count, parts.validation.count]).toEqual([100, 100]);
    expect(await shared(parts)).toEqual([]);
  });

  it("share no image when the data set holds images twice", async () => {
    const once = await openDataset(data);
    const parts = await split(concat([once, once], "twice"), 140);
    expect(parts.validation.count).toBeGreaterThanOrEqual(50);
    expect(parts.validation.count).toBeLessThan(260);
    expect(await shared(parts)).toEqual([]);
  });

  it("share no image when one data set goes by two names", async () => {
    for (const suffix of ["x", "y"])
      writeFileSync(place(`other-${suffix}.npy`), readFileSync(place(`data-${suffix}.npy`)));
    const other = `npy:${place("other-x.npy")},${place("other-y.npy")}`;
    const parts = await split(await openDataset(data), 120, "--validation", other);
    expect([parts.reported.count, parts.validation.count]).toEqual([120, 80]);
    expect(await shared(parts)).toEqual([]);
  });

  it("are refused when too few different images are left", async () => {
    const once = await openDataset(npyPair(folder, "few", { count: 60 }));
    await expect(split(concat([once, once], "twice"), 60)).rejects.toThrow(
      "twice: 0 of its images are not among those reported, expected at least 50 to choose thresholds on. Name other data and report fewer records.",
    );
  });

  it("are what the command uses: test records decide nothing", async () => {
    const record = await calibrated(...LOOSE, "--samples", "120", "--validation", data);
    expect(record.data.test.samples).toBe(120);
    expect(record.data.validation.samples).toBe(80);
  });
});

describe("what is printed", () => {
  it("names exits, the chosen point on both splits, the curves and the bound under attack", async () => {
    const argv = ["--thresholds", "per-exit", "--worst-case", "pgd", "--worst-cost", "100%", "--worst-samples", "4"];
    const full = ["--full", "--report", place("r.html")];
    const { code, out } = await cli("calibrate", model, "--data", data, ...LOOSE, ...argv, ...full);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\nAt batch 1: .* as fast.*accurate \(95 %: .*At batch 64: .*\n.*This holds on the test records/,
    );
    for (const text of [
      "chosen on 100 samples of npy:data-x.npy#validation, tested on 100 other samples",
      "Chosen: max-softmax, thresholds ",
      "One threshold for all exits, best at each cost (validation)",
      "A threshold per exit, best at each cost (validation)",
      "Under attack: pgd, L∞\u00a08/255; bounds: mean cost at most 100.0\u00a0%",
      "This holds against a fresh attack on the validation records (1 round).",
      `wrote ${place("r.html")}`,
    ])
      expect(out).toContain(text);
    expect(readFileSync(place("r.html"), "utf8")).toContain("Accuracy against cost");
  });

  it("is short without --full, and has no times with --no-speed", async () => {
    const { out } = await cli("calibrate", model, "--data", data, ...LOOSE, "--no-speed");
    expect(out.split("\n")[2]).toMatch(
      /^\d+\.\d % less work \(.*\), .* accurate \(95 %: .*\)\. Times were not measured\.$/,
    );
    expect(out).not.toContain("One threshold for all exits");
    expect(out).toContain("--full shows every exit");
    expect((await calibrated(...LOOSE, "--no-speed")).speeds).toBeUndefined();
    expect((await calibrated(...LOOSE)).speeds?.batches.map(({ batch }) => batch)).toEqual([1, 64]);
  });

  it("says which bounds the record was asked for: a cost unless it is an accuracy", async () => {
    const few = ["--worst-samples", "20", "--eps", "0"];
    const of = async (...argv: readonly string[]) => (await calibrated(...LOOSE, ...few, ...argv)).worstCase;
    const cost = await of("--worst-case", "slowdown");
    expect([cost?.attack, cost?.maxCost, cost?.minAccuracy]).toEqual(["slowdown", 0.8, undefined]);
    const accuracy = await of("--worst-accuracy", "1%");
    expect([accuracy?.attack, accuracy?.maxCost, accuracy?.minAccuracy]).toEqual(["routed", undefined, 0.01]);
  });

  it("has the time of every exit for a target latency", async () => {
    const record = await calibrated("--target", "latency:1000ms");
    expect(record.costUnit).toBe("milliseconds");
    const times = record.exits.map((e) => e.milliseconds ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("refused", () => {
  it.each([
    [
      ["--target", "fast"],
      'error: --target: got "fast", expected keep:SHARE, rad:SHARE, drop:POINTS, budget:SHARE or latency:MILLISECONDS.',
    ],
    [["--target", "latency:0ms"], 'error: --target: got "latency:0ms", expected a mean time above 0 in milliseconds.'],
    [["--target", "budget:150%"], 'error: --target: got "budget:150%", expected a share above 0 and up to 100 %.'],
    [["--worst-cost", "120%"], 'error: --worst-cost: got "120%", expected a share above 0 and up to 100 %.'],
    [["--worst-accuracy", "0"], 'error: --worst-accuracy: got "0", expected a share above 0 and up to 100 %.'],
    [
      ["--worst-accuracy", "10%", "--worst-cost", "90%"],
      "error: --worst-cost, --worst-accuracy: both bounds need one attack, but the call does not name one.",
    ],
    [["--thresholds", "many"], 'error: --thresholds: got "many", expected one of uniform, per-exit.'],
  ])("%j", async (options, text) => {
    const { code, err } = await cli("calibrate", model, "--data", data, ...options);
    expect([code, err.slice(0, text.length)]).toEqual([2, text]);
  });

  it("a model with one exit, two outputs in one file, and an output that cannot be written, before any work", async () => {
    const one = await cli("calibrate", single, "--data", data);
    expect([one.code, one.err]).toEqual([1, expect.stringContaining("the model has a single exit")]);
    const twice = await cli("calibrate", model, "--data", data, "-o", place("x"), "--report", place("x"));
    expect([twice.code, twice.err]).toEqual([2, expect.stringContaining("--report and --out: both are")]);
    const nowhere = await cli("calibrate", model, "--data", data, "-o", join(folder, "none", "x.onnx"));
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining("cannot be written")]);
    expect(existsSync(place("x"))).toBe(false);
  });
});
