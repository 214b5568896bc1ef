/** @file The JSON contract of `dynn audit --json`: every field, and what may not change it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AuditRecord, auditRecordSchema } from "../../src/schema/audit-record.js";
import { timeless } from "../support/timeless.js";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const data = npyPair(folder, "data", { count: 40 });
const ATTACKS = [
  { name: "fgsm", objective: "misclassify:final", optimizer: "fgsm", radius: "32/255" },
  { name: "pgd", objective: "misclassify:1", radius: "16/255", steps: 4, randomStart: true, restarts: 2 },
  { name: "pgd-l2", objective: "average", norm: "l2", radius: 3, steps: 3, randomStart: true },
  { name: "cw", objective: "misclassify:final", optimizer: "adam-tanh", steps: 12, stepSize: 0.1, searchSteps: 2 },
  { name: "routed", objective: "routed", radius: "16/255", steps: 4, randomStart: true },
  { name: "max", objective: "max", radius: "16/255", steps: 3 },
  { name: "early", objective: "early:margin", radius: "32/255", steps: 4 },
  { name: "early-published", objective: "early:published", steps: 20, stepSize: 0.1, samples: 9 },
  { name: "slowdown", objective: "slowdown", radius: "16/255", steps: 3 },
];
const attackFile = join(folder, "attacks.json");
writeFileSync(attackFile, JSON.stringify(ATTACKS));

async function record(...argv: readonly string[]): Promise<AuditRecord> {
  const { code, out, err } = await cli("audit", ...argv, "--json", "-");
  expect([code, err]).toEqual([0, ""]);
  return auditRecordSchema.parse(JSON.parse(out));
}

const small = (...more: readonly string[]): Promise<AuditRecord> =>
  record(
    ...[model, "--data", data, "--threshold", "0.5", "--attack-file", attackFile],
    ...["--radii", "8/255,16/255", "--curve-steps", "2", "--threads", "1", ...more],
  );

/** Every path of a value, arrays as []. */
function paths(value: unknown, at = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((v) => paths(v, `${at}[]`)))];
  if (typeof value !== "object" || value === null) return [at];
  return Object.entries(value).flatMap(([key, v]) => paths(v, at === "" ? key : `${at}.${key}`));
}

const RATE = ["value", "low", "high"];
const of = (field: string, parts: readonly string[]): string[] => parts.map((part) => `${field}.${part}`);

const PROMISED = [
  "schemaVersion",
  ...of("model.exits[]", ["name", "macs", "costFraction"]),
  ...of("data", ["name", "samples", "seed"]),
  "clean.accuracyPerExit[]",
  ...of("clean.routed", ["accuracy", "meanCostFraction", "exitCounts[]", "rule", "thresholds[]", "fallback"]),
  ...of("attacks[]", ["name", "goal", "method", "access", "norm", "radius", "samples"]),
  ...["robustAccuracy", "successRate", "success8bit"].flatMap((rate) => of(`attacks[].${rate}`, RATE)),
  "attacks[].accuracyPerExit[]",
  ...of("attacks[].routed", ["accuracy", "meanCostFraction", "exitCounts[]"]),
  ...of("attacks[]", ["efficacy", "l2Mean", "linfMax", "gradientEvaluations", "seconds"]),
];

const SINCE = [
  ...of("tool", ["name", "version"]),
  ...of("made", ["date", "command"]),
  ...of("made.machine", ["cpu", "cores", "runtime", "engine", "threads", "load"]),
  ...of("model", ["name", "sha256"]),
  "model.input[]",
  "model.parameters",
  ...of("clean.accuracyIntervals[]", RATE),
  ...of("clean", ["efficacy", "efficacyStep"]),
  ...of("clean.overthinking", ["wasteful", "destructive"]),
  "clean.underthinking",
  ...of("clean.confusion", ["right", "wrong"]),
  ...of("attacks[]", ["answer", "eligible", "efficacyStep", "successes", "normMedian", "normMean"]),
  ...of("attacks[]", [
    "queries",
    "queriesMedian",
    "queryQuartiles",
    "queryQuartiles[]",
    "macs.forward",
    "macs.backward",
    "macsToSuccess",
  ]),
  ...of("memory", ["batch", "chosen", "bytesPerSample", "bytes"]),
  ...of("attacks[]", ["vanishedGradients", "retriedOnMargins"]),
  ...of("worstCase[]", ["norm", "radius", "attacks[]"]),
  ...of("worstCase[].answers[]", ["answer", "standing"]),
  ...of("worstCase[].answers[].robustAccuracy", RATE),
  ...of("curves[]", ["name", "norm", "vanishedGradients"]),
  "curves[].points[].radius",
  ...of("curves[].points[].robustAccuracy", RATE),
  "seconds",
  // The small network answers near chance, which is said.
  "warnings[]",
];

describe("the audit record", () => {
  it("has every field of version 2 under its name, and no other", async () => {
    const found = paths(await small()).filter((path) => !/^attacks\[\]\.(parameters|early)\./.test(path));
    expect([...new Set(found)].sort()).toEqual([...PROMISED, ...SINCE].sort());
  });

  it("says what was asked and counts what was done", async () => {
    const r = await small("--samples", "24", "--seed", "5");
    expect(r.schemaVersion).toBe(2);
    expect(r.data).toEqual({ name: "npy:data-x.npy", samples: 24, seed: 5 });
    expect(r.model.exits.map((e) => e.name)).toEqual(["exit0", "exit1", "exit2"]);
    expect(r.model.exits.at(-1)?.costFraction).toBe(1);
    expect(r.attacks.map((a) => a.name)).toEqual(ATTACKS.map((a) => a.name));
    expect(r.clean.routed.exitCounts.reduce((a, b) => a + b)).toBe(24);
    for (const a of r.attacks) {
      expect([a.samples, a.accuracyPerExit.length, a.routed.exitCounts.length]).toEqual([
        a.name === "early-published" ? 9 : 24,
        3,
        3,
      ]);
      if (a.norm === "linf" && a.linfMax !== null) expect(a.linfMax).toBeLessThanOrEqual((a.radius as number) + 1e-6);
    }
    expect(r.curves.map((c) => c.points.map((p) => p.radius))).toEqual([
      [0, 8 / 255, 16 / 255],
      [0, 8 / 255, 16 / 255],
    ]);
  });

  it("is the same for the same seed, whatever the batch and the threads, but for the seconds", async () => {
    const first = timeless(await small("--batch", "16", "--threads", "1"));
    expect(first.attacks.filter((a) => a.successRate.value > 0).length, "attacks that reach anything").toBeGreaterThan(
      5,
    );
    expect(timeless(await small("--batch", "16", "--threads", "1"))).toEqual(first);
    expect(timeless(await small("--batch", "64", "--threads", "1"))).toEqual(first);
    expect(timeless(await small("--batch", "16", "--threads", "2"))).toEqual(first);
  });

  it("differs for another seed", async () => {
    expect(timeless(await small("--seed", "1")).attacks).not.toEqual(timeless(await small("--seed", "2")).attacks);
  });

  it("goes to a file as it goes to standard output, and no other file is left", async () => {
    const before = filesIn(folder);
    const file = join(folder, "audit.json");
    const args = ["audit", model, "--data", data, "--threshold", "0.5", "--attacks", "fgsm", "--radii", "0"];
    const { code, out, err } = await cli(...args, "--json", file);
    expect([code, err]).toEqual([0, ""]);
    expect(out.endsWith(`\nwrote ${file}\n`)).toBe(true);
    expect(filesIn(folder)).toEqual([...before, "audit.json"].sort());
    const printed = await record(...args.slice(1));
    expect(timeless(auditRecordSchema.parse(JSON.parse(readFileSync(file, "utf8"))))).toEqual(timeless(printed));
  });

  it("names the classes that the data name", async () => {
    const r = await record("zoo:resnet20-joint", "--samples", "16", "--attacks", "fgsm,slowdown", "--radii", "0");
    expect(r.model.classes?.slice(0, 3)).toEqual(["airplane", "automobile", "bird"]);
    expect(r.clean.routed).toMatchObject({ rule: "max-softmax", fallback: "final" });
    expect(r.clean.routed.exitCounts).toHaveLength(7);
    expect(r.clean.routed.exitCounts.reduce((sum, count) => sum + count)).toBe(16);
    expect(r.attacks.map((a) => [a.name, a.goal, a.method, a.answer])).toEqual([
      ["fgsm", "misclassify:final", "fgsm", "final"],
      ["slowdown", "slowdown", "pgd", "routed"],
    ]);
    expect(r.attacks[1]?.routed.exitCounts).toEqual([0, 0, 0, 0, 0, 0, 16]);
  });

  it("holds the attacks of an attack file as they are written there", async () => {
    const file = join(folder, "two.json");
    const [first, second] = [
      {
        name: "a",
        objective: "misclassify:0",
        optimizer: "pgd",
        norm: "l2",
        radius: "64/255",
        steps: 3,
        stepSize: 0.1,
      },
      { name: "b", objective: "early:margin", radius: 0.02, steps: 2, randomStart: true, restarts: 2, samples: 8 },
    ];
    writeFileSync(file, JSON.stringify([first, second]));
    const r = await record(model, "--data", data, "--threshold", "0.5", "--attack-file", file);
    expect(r.attacks.map(({ name, goal, norm, radius, samples }) => ({ name, goal, norm, radius, samples }))).toEqual([
      { name: "a", goal: "misclassify:0", norm: "l2", radius: 64 / 255, samples: 40 },
      { name: "b", goal: "early:margin", norm: "linf", radius: 0.02, samples: 8 },
    ]);
    expect(r.attacks[0]?.parameters).toMatchObject({ steps: 3, stepSize: 0.1, randomStart: false, restarts: 1 });
    expect(r.attacks[1]?.early?.labels).toBeDefined();
    expect(r.curves, "no curve unless it is asked for").toEqual([]);
  });
});
