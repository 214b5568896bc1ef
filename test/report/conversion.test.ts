/** @file The report of a conversion: the verdict first, why there is none, and what to try. */
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { conversionSummary } from "../../src/cli/convert/output.js";
import { wilson } from "../../src/measures/wilson.js";
import { renderConversion } from "../../src/report/conversion/page.js";
import { conversionAdvice, conversionVerdict } from "../../src/report/conversion/verdict.js";
import { type ConversionRecord, conversionRecordSchema } from "../../src/schema/conversion-record.js";

const exit = (name: string, share: number, train: number, right: number): ConversionRecord["exits"][number] => ({
  name,
  macs: Math.round(share * 40e6),
  costFraction: share,
  train,
  validation: wilson(right, 160),
  test: null,
});
const speed = (low: number, median: number, high: number) => ({
  speedUp: { low, median, high },
  msPerImage: { low: 1, median: 2, high: 3 },
});

const record: ConversionRecord = conversionRecordSchema.parse({
  schemaVersion: 1,
  tool: { name: "dynn", version: "1" },
  model: { name: "net", parameters: 300_000, classes: 10 },
  data: {
    train: { name: "folder:photos", count: 2000 },
    validation: { name: "folder:photos#validation", count: 200 },
    test: null,
  },
  target: { kind: "rad", loss: 0.05 },
  confidence: 0.9,
  cost: "macs",
  places: [
    { cut: "a", shape: "[n,8,8,8]", fraction: 0.3, headFraction: 0.01, exit: "exit0" },
    { cut: "b", shape: "[n,8,8,8]", fraction: 0.35, headFraction: 0.01 },
    { cut: "c", shape: "[n,8]", fraction: 1, headFraction: 0, unfit: "leaving saves 0.0 %" },
  ],
  training: {
    ...{ recipe: "ic-distill", batch: 32, steps: 600, planned: 1000, bestStep: 350, seconds: 12 },
    curve: [1, 2, 3].map((k) => ({ step: 200 * k, train: [0.1 * k, 0.9], validation: [0.1 * k, 0.88] })),
  },
  exits: [exit("exit0", 0.31, 0.8, 120), exit("final", 1, 0.9, 140)],
  policy: { rule: "max-softmax", thresholds: [0.8], fallback: "final" },
  outcome: {
    records: "validation",
    samples: 200,
    final: wilson(176, 200),
    accuracy: wilson(172, 200),
    lost: { value: 0.02, low: -0.01, high: 0.042 },
    meanCostFraction: { value: 0.7, low: 0.65, high: 0.75 },
  },
  speeds: {
    images: 64,
    rounds: 3,
    batches: [
      { batch: 1, ...speed(1.2, 1.3, 1.4) },
      { batch: 64, ...speed(1.3, 1.4, 1.5) },
    ],
  },
});
const idle: ConversionRecord = {
  ...record,
  policy: { rule: "max-softmax", thresholds: [2], fallback: "final" },
  outcome: record.outcome && {
    ...record.outcome,
    accuracy: record.outcome.final,
    lost: { value: 0, low: -0.02, high: 0.02 },
    meanCostFraction: { value: 1, low: 1, high: 1 },
  },
  speeds: undefined,
};
const plain = (text: string): string => text.replaceAll("\u00a0", " ");
const pageOf = (of: ConversionRecord) => parseHTML(renderConversion(of)).document;
const textsOf = (of: ConversionRecord, selector: string): string[] =>
  [...pageOf(of).querySelectorAll(selector)].map((found) => plain(found.textContent ?? ""));

describe("a conversion", () => {
  it("says first how much faster it is, what that costs, on which images, and whether it was asked so", () => {
    const said = [
      "At batch 1: 1.3x as fast (1.2-1.4), 2.0 points less accurate (95 %: -1.0 to 4.2). At batch 64: 1.4x as fast (1.3-1.5).",
      "30.0 % less work (25.0-35.0) on 200 validation images, each answered under thresholds that other images chose. Asked for: the cheapest that keeps 95 % of the final exit's accuracy, with a probability of 90.0 %. This holds on these images.",
      "The heads learned from 2000 images in 600 steps, of which the first 350 are kept: they were best on the validation images.",
    ];
    expect(conversionVerdict(record).map(plain)).toEqual(said);
    expect(textsOf(record, "#summary li")).toEqual(said);
    expect(plain(conversionSummary(record)).split("\n").slice(2, 5)).toEqual(said);
  });

  it("says why no network is faster", () => {
    const [why] = conversionVerdict(idle).map(plain);
    expect(why).toBe(
      "No faster network: every image uses the final exit. The best early exit, exit0 at 31.0 % of the cost, is right on 75.0 % of the validation images, the final exit on 87.5 %. No threshold is one that keeps 95 % of the final exit's accuracy on 200 validation images and saves work, with a probability of 90.0 % on others.",
    );
    expect(conversionAdvice(idle)).toContain("A larger loss: `dynn convert --target keep:90%`.");
  });

  it("says that heads saw too little: few images of a class, or far more right on those they learned from", () => {
    const few = { ...record, data: { ...record.data, train: { name: "folder:photos", count: 378 } } };
    expect(conversionVerdict(few).at(-1)).toMatch(
      /378 images .* That is too little to learn from: 38 images of each class\.$/,
    );
    const gap = { ...record, exits: [exit("exit0", 0.31, 0.95, 120), exit("final", 1, 0.9, 140)] };
    expect(plain(conversionVerdict(gap).at(-1) ?? "")).toMatch(
      /right on 20\.0 points more of the images that they learned from/,
    );
    const short = { ...record, training: { ...record.training, steps: 45, planned: 45, bestStep: 45 } };
    expect(conversionVerdict(short).at(-1)).toMatch(
      /in 45 steps\. That is too little to learn from: 45 steps are few\.$/,
    );
    expect(conversionAdvice(short).join()).toContain("--steps 1000");
    for (const one of [few, gap]) expect(conversionAdvice(one)[0]).toMatch(/^More images/);
    expect(conversionAdvice(record).join()).not.toContain("More images");
  });

  it("advises what fits: time that is not saved, a training that had not ended, images apart", () => {
    const slow = { ...record, speeds: { images: 64, rounds: 3, batches: [{ batch: 1, ...speed(0.9, 1, 1.1) }] } };
    expect(conversionAdvice(slow).join()).toContain("--cost time");
    expect(conversionAdvice(record).join()).not.toContain("--cost time");
    const going = { ...record, training: { ...record.training, steps: 1000, bestStep: 990 } };
    expect(conversionAdvice(going).join()).toContain("--steps 2000");
    expect(conversionAdvice(record)).toEqual([
      "Figures on images that neither heads nor thresholds have seen: `dynn convert --test folder:OTHERS`.",
    ]);
  });

  it("without a policy says that dynn calibrate chooses one", () => {
    const bare = { ...record, policy: null, outcome: null, target: null, speeds: undefined };
    expect(conversionVerdict(bare)[0]).toMatch(/^1 early exit added\. No policy was asked for.*dynn calibrate/);
    expect(renderConversion(bare)).not.toMatch(/NaN|undefined|>null/);
  });

  it("has a page of its own: places with reasons, before and after, the training", () => {
    expect([...pageOf(record).querySelectorAll("section")].map(({ id }) => id)).toEqual([
      ...["summary", "try", "outcome", "exits", "places", "training", "settings", "words"],
    ]);
    expect(textsOf(record, "#outcome tbody tr")).toEqual([
      "before: the final exit alone88.0 % (82.8–91.8)–100.0 %11",
      "after: max-softmax 0.886.0 % (80.5–90.1)2.0 (-1.0 to 4.2)70.0 % (65.0–75.0)1.3x as fast (1.2-1.4)1.4x as fast (1.3-1.5)",
    ]);
    expect(textsOf(record, "#places tbody tr").map((row) => row.slice(-22))).toEqual([
      ...["8]30.0 %1.0 %exit0", "another exit is near", "leaving saves 0.0 %"].map((end) =>
        expect.stringContaining(end.slice(-12)),
      ),
    ]);
    expect(textsOf(record, "#training p")[0]).toContain("stopped after 600 of 1000 steps");
    const odd = renderConversion({ ...record, model: { ...record.model, name: "<img src=x>" } });
    expect(odd).not.toMatch(/NaN|undefined|<script|<img src=x/);
    expect(renderConversion(idle)).not.toMatch(/NaN|undefined/);
  });

  it("shows the commands of its advice as code, without backticks", () => {
    const advice = pageOf(record).querySelector("ul.findings");
    expect(advice?.querySelector("code")?.textContent).toBe("dynn convert --test folder:OTHERS");
    expect(advice?.textContent).not.toContain("`");
  });
});
