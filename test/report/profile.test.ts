import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { profileSummary, profileTables } from "../../src/cli/profile/tables.js";
import { wilson } from "../../src/measures/wilson.js";
import { renderProfile } from "../../src/report/profile/page.js";
import type { ProfiledPoint, ProfileRecord, Saving, Timing } from "../../src/schema/profile-record.js";
import { profileRecordSchema } from "../../src/schema/profile-record.js";
import { steadinessOf } from "../../src/schema/steadiness.js";

const BATCHES = [1, 8, 64];
const around = (median: number) => ({ median, low: 0.95 * median, high: 1.1 * median });

/** Times by formula: batches help, and MACs are not all. */
const timing = (batch: number, share: number): Timing => {
  const perImage = (share + 0.05) * (1 + 1 / batch);
  const whole = perImage * batch;
  return {
    batch,
    msPerImage: around(perImage),
    latencyMs: { p50: whole, p95: 1.4 * whole, p99: 1.9 * whole, requests: 1000 },
  };
};
const saving = (batch: number, share: number): Saving => {
  const speedUp = 1.05 / (share + 0.05);
  return {
    ...timing(batch, share),
    speedUp: around(speedUp),
    baselineSpeedUp: around(0.45 * speedUp),
    overhead: 1 / (speedUp * share),
    realSaving: share > 0.95 ? null : (1 - 1 / speedUp) / (1 - share),
  };
};
const point = (name: string, share: number, right: number, kind: ProfiledPoint["kind"] = "chosen"): ProfiledPoint => ({
  name,
  kind,
  rule: name.startsWith("entropy") ? "entropy" : "max-softmax",
  thresholds: [0.7, 0.7],
  fallback: "final",
  accuracy: wilson(right, 250),
  exitCounts: [100, 60, 90],
  meanMacs: share * 40e6,
  macsFraction: share,
  timings: (kind === "chosen" ? BATCHES : BATCHES.slice(-1)).map((batch) => saving(batch, share)),
});
const network = (name: string, share: number, right: number) => ({
  name,
  macs: share * 40e6,
  parameters: Math.round(share * 270_000),
  accuracy: wilson(right, 250),
  timings: BATCHES.map((batch) => timing(batch, share)),
});

const SWEEP = [0.3, 0.45, 0.6, 0.75, 0.9];
const record: ProfileRecord = {
  schemaVersion: 1,
  tool: { name: "dynn", version: "0.1.0" },
  machine: { cpu: "made", cores: 2, runtime: "node 20.0.0", engine: "onnxruntime 1.30.0", threads: null, load: 0.2 },
  model: {
    name: "resnet20-sdn",
    input: ["n", 3, 32, 32],
    parameters: 295_000,
    exits: ["exit0", "exit1", "final"].map((name, k) => ({ name, macs: (k + 1) * 13e6, costFraction: (k + 1) / 3 })),
  },
  data: { name: "sample", samples: 250, seed: 0, validation: { name: "sample#validation", samples: 250 } },
  rounds: 5,
  batches: BATCHES,
  static: network("resnet20-sdn", 1, 220),
  baseline: network("small", 0.4, 205),
  points: [
    point("nothing leaves", 1.01, 220),
    point("own policy, rad 5 %", 0.62, 212),
    point("rad 15 %", 0.45, 196),
    point("budget 50 %", 0.5, 201),
    ...SWEEP.map((share) => point(`max-softmax ${share}`, share, Math.round(170 + 55 * share), "sweep")),
    ...SWEEP.map((share) => point(`entropy ${share}`, share, Math.round(166 + 58 * share), "sweep")),
  ],
  seconds: 43,
};
const still: ProfileRecord = { ...record, points: [], model: { ...record.model, exits: record.model.exits.slice(-1) } };
delete (still as { baseline?: unknown }).baseline;

const pageOf = (of: ProfileRecord) => parseHTML(renderProfile(of)).document;
const textOf = (element: Element | null) => element?.textContent?.replaceAll("\u00a0", " ");

describe("the report of a profile", () => {
  it("is drawn from a record that the schema takes", () => {
    expect(profileRecordSchema.parse(record)).toEqual(record);
    expect(profileRecordSchema.parse(still)).toEqual(still);
  });

  it("says beside its numbers when the machine was busy, and so do the tables", () => {
    const said = "slow rounds took 2.4 times as long as fast ones. These times are not to be trusted.";
    const busy = profileRecordSchema.parse({ ...record, steadiness: steadinessOf(2.4) });
    expect(textOf(pageOf(busy).querySelector("header"))).toContain(said);
    expect(profileTables(busy)).toContain(said);
    const calm = profileRecordSchema.parse({ ...record, steadiness: steadinessOf(1.2) });
    expect(textOf(pageOf(calm).querySelector("header")) + profileTables(calm)).not.toContain("trusted");
  });

  it("opens with the model's own policy against the static network", () => {
    const cards = textOf(pageOf(record).querySelector(".cards"));
    expect(cards).toContain("speed-up, own policy = keep 95 %1.57×batch 64; predicted from MACs: 1.61×");
    expect(cards).toContain("accuracy, static network88.0 %");
  });

  it("gives the verdict first: speed at every batch size, loss of accuracy, whose policy that is", () => {
    const lost = { value: 0.032, low: 0.004, high: 0.061 };
    const judged = { ...record, points: record.points.map((p) => ({ ...p, lost })) };
    const said =
      "At batch 1: 1.6x as fast (1.5-1.7), 3.2 points less accurate (95 %: 0.4 to 6.1). At batch 8: 1.6x as fast (1.5-1.7). At batch 64: 1.6x as fast (1.5-1.7).";
    expect(textOf(pageOf(judged).querySelector("#summary li"))).toBe(said);
    expect(profileSummary(judged).split("\n").slice(2, 4)).toEqual([
      said,
      'That is "own policy = keep 95 %" (max-softmax 0.7) against the same network without early exits.',
    ]);
    expect(profileTables(judged)).toContain(said);
  });

  it("has one row per distinct decision, and says unsure where the range holds 1", () => {
    const slow = [0.9, 1.02, 1.3].map((low, i) => ({
      ...saving(BATCHES[i], 0.5),
      speedUp: { median: 1.1 * low, low, high: 1.2 * low },
    }));
    const alike = {
      ...record,
      points: [
        ...record.points.slice(0, 2),
        { ...point("rad 15 %", 0.45, 196), sameAs: "own policy, rad 5 %" },
        { ...point("budget 50 %", 0.5, 201), timings: slow },
      ],
    };
    const rows = profileSummary(alike)
      .split("\n")
      .filter((line) => /^(static|baseline|own|half|keep|nothing)/.test(line));
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual([
      ...["static", "baseline small", "own policy = keep 95 % = keep 85 %", "half the work", "nothing leaves"],
      "keep 95 % (85 %): the cheapest thresholds that keep this share of the final exit's accuracy on the validation images, a relative accuracy drop (rad) of 5 % (15 %). half the work: the most accurate thresholds at half of the multiply-accumulates.",
    ]);
    expect(rows[3]).toMatch(/unsure +1\.12x +1\.4x$/);
    expect([...pageOf(alike).querySelectorAll("#decisions tbody th")].map(textOf)).toEqual([
      ...["own policy = keep 95 % = keep 85 %", "half the work", "nothing leaves"],
    ]);
  });

  it("says what to do where exits save no time, and where one round gives no range", () => {
    const speedUp = { median: 0.8, low: 0.7, high: 0.9 };
    const slow = {
      ...record,
      rounds: 1,
      points: record.points.map((p) => ({ ...p, timings: p.timings.map((t) => ({ ...t, speedUp })) })),
    };
    const text = profileSummary(slow);
    expect(text).toContain("At batch 1: slower, 0.80x as fast (0.70-0.90).");
    expect(text).toContain("Early exits save no time here at any batch size.");
    expect(text).toContain("One round gives no range.");
    expect(profileSummary(still)).toContain("resnet20-sdn has one exit and no gates, so nothing can be saved.");
  });

  it("lists networks and chosen points at every batch size, the baseline's name with it", () => {
    const page = pageOf(record);
    const rows = [...page.querySelectorAll("#time tbody tr")].map((row) => textOf(row.children[0]));
    const names = [
      "static",
      "baseline small",
      "nothing leaves",
      "own policy = keep 95 %",
      "keep 85 %",
      "half the work",
    ];
    expect(rows).toEqual([...names, ...names, ...names]);
  });

  it("says how much of the saving is real, with a dash where MACs save nothing", () => {
    const [first, second] = [...pageOf(record).querySelectorAll("#saving tbody tr")].map((row) =>
      [...row.children].map(textOf),
    );
    expect(first?.slice(0, 2)).toEqual(["nothing leaves", "101.0 %"]);
    expect(first?.slice(-1)).toEqual(["–"]);
    expect(second?.slice(-1)).toEqual(["95.2 %"]);
  });

  it("draws time, saving, a latency panel per batch size and an exit panel per chosen point", () => {
    const page = pageOf(record);
    const counts = ["#time", "#saving", "#latency", "#exits"].map((id) => page.querySelectorAll(`${id} .chart`).length);
    expect(counts).toEqual([2, 1, 3, 4]);
  });

  it("of a static network has times and latency, and no word of exits", () => {
    const page = pageOf(still);
    expect([...page.querySelectorAll("section")].map((s) => s.id)).toEqual([
      "summary",
      "time",
      "latency",
      "settings",
      "words",
    ]);
    expect(renderProfile(still)).not.toMatch(/NaN|undefined/);
  });

  it("is the same for the same record, and takes names for text, whatever they are", () => {
    expect(renderProfile(record)).toBe(renderProfile(record));
    const odd = { ...record, model: { ...record.model, name: "<img src=x>" } };
    expect(renderProfile(odd)).not.toMatch(/NaN|undefined|<script|<img src=x/);
  });
});
