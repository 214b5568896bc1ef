/** @file "In short" of every report: a few sentences that the record never contradicts. */
import { describe, expect, it } from "vitest";
import { auditShort, cleanSentences, thinkingWords } from "../../src/report/audit/short.js";
import { reportPage } from "../../src/report/shared/page.js";
import { trainingShort } from "../../src/report/training/short.js";
import type { AttackRecord, AuditRecord } from "../../src/schema/audit-record.js";
import type { EpochReport, TrainingRecord } from "../../src/schema/training.js";
import { record, staticRecord } from "./fixture.js";

/** Markup as a reader sees it: no tags, plain spaces. */
const read = (markup: { readonly text: string }): string =>
  markup.text
    .replace(/<[^>]*>/g, "")
    .replace(/\u00a0/g, " ")
    .trim();
const shortOf = (of: AuditRecord): string[] => auditShort(of).map(read);

describe("an audit in short", () => {
  it("says what leaving early saves and what it costs, and what the worst attacks take", () => {
    expect(shortOf(record)).toEqual([
      "On 256 samples the routed network answers 84.0 % (79.0–88.0) right for 56.3 % of the full cost.",
      "The saving of 43.7 % by early exits costs 1.2 points of accuracy compared with the final exit, which is right on 85.2 % (80.3–89.0).",
      "early-published (L2, no limit) takes most right answers: it leaves the routed answer right on 7.4 % (4.8–11.3), from 84.0 %.",
      "Cost rises most under slowdown: from 56.3 % to 99.8 %, so 99.5 % of the saving is gone.",
    ]);
  });

  it("calls a gain a gain and no difference none", () => {
    const withAccuracy = (accuracy: number) =>
      read(cleanSentences({ ...record, clean: { ...record.clean, routed: { ...record.clean.routed, accuracy } } })[1]);
    expect(withAccuracy(218 / 256)).toContain("costs no accuracy compared with the final exit");
    expect(withAccuracy(222 / 256)).toContain("gains 1.6 points of accuracy compared with the final exit");
  });

  it("of one exit says that there is nothing to save, and speaks of no routing", () => {
    expect(shortOf(staticRecord).slice(0, 2)).toEqual([
      "On 256 samples the network answers 85.2 % (80.3–89.0) right.",
      "It has one exit: every input has the full cost, and an attack cannot raise it.",
    ]);
    expect(shortOf(staticRecord).join(" ")).not.toMatch(/routed|final answer|Cost rises/);
  });

  it("without attacks says that robustness was not measured", () => {
    expect(shortOf({ ...record, attacks: [] }).at(-1)).toContain("does not measure robustness");
  });

  const withAttack = (changes: Partial<AttackRecord>): AuditRecord => ({
    ...record,
    attacks: [{ ...record.attacks[1], ...changes }],
  });

  it("names no attack as harmful that takes no right answer and saves no cost", () => {
    const { robustAccuracy, routed } = record.attacks[1];
    const [, , answers, cost] = shortOf(
      withAttack({
        robustAccuracy: { ...robustAccuracy, value: 218 / 256 },
        routed: { ...routed, meanCostFraction: record.clean.routed.meanCostFraction - 0.1 },
      }),
    );
    expect(answers).toBe("No attack lowers the accuracy of the answer by which it is judged.");
    expect(cost).toBe("No attack raises the mean cost by more than half a point.");
  });

  it("points to the warnings where a number is in doubt", () => {
    expect(shortOf(withAttack({ vanishedGradients: 40 })).at(-1)).toBe(
      "Read the warnings of the attacks (1) first: robust accuracy may be lower than it seems.",
    );
  });

  it("leaves to the section of the exits what they knew before they answered", () => {
    expect(thinkingWords(record).replaceAll("\u00a0", " ")).toBe(
      "47.3 % of the samples were already right at an exit before the one that answered; 7.4 % are right at some exit and wrong at the final one. 4.3 % stop at a wrong exit, while the final one is right. Confusion, the disagreement of the exits, is 0.64 where the final exit is wrong and −0.21 where it is right.",
    );
    const { underthinking: _, confusion: __, ...clean } = record.clean;
    expect(thinkingWords({ ...record, clean })).toMatch(/right at some exit and wrong at the final one\.$/);
  });
});

describe("a training run in short", () => {
  const epoch = (at: number, validation: number[], train: number[]): EpochReport => ({
    ...{ epoch: at, step: at, learningRate: 0.1, loss: 1, exitLosses: [1, 1], validationLosses: [1, 1] },
    ...{ trainAccuracy: train, validationAccuracy: validation, imagesPerSecond: 1, seconds: 1 },
  });
  const run = (epochs: EpochReport[], planned = epochs.length): TrainingRecord => ({
    ...{ model: "m", data: "d", recipe: "joint", exits: ["exit0", "final"], planned, epochs },
    ...{ test: undefined, validationCount: 100, settings: [] },
  });
  const said = (of: TrainingRecord): string => trainingShort(of).join(" ").replaceAll("\u00a0", " ");

  it("says where it was best, and that it overfits where it does", () => {
    const best = run([
      epoch(0, [0.4, 0.5], [0.4, 0.5]),
      epoch(1, [0.5, 0.7], [0.5, 0.7]),
      epoch(2, [0.5, 0.6], [0.6, 0.9]),
    ]);
    expect(said(best)).toBe(
      "After 3 epochs the final exit is right on 60.0 % (50.2–69.1) of the 100 samples for validation. The first early exit, exit0, is right on 50.0 % of the validation samples. Its validation accuracy was highest after epoch 2 of 3, at 70.0 %. The final exit overfits: it is right on 90.0 % of the training images, 30.0 points more than on validation samples.",
    );
  });

  it("says how much of the run is done", () => {
    expect(said(run([epoch(0, [0.4, 0.5], [0.4, 0.5])], 30))).toMatch(/^After 1 of 30 epochs the final exit/);
    expect(said(run([epoch(0, [0.4, 0.5], [0.4, 0.5])]))).toMatch(/^After 1 epoch the final exit/);
  });
});

it("a command between backticks is set as code", () => {
  const page = reportPage({
    ...{ title: "t", kind: "k", heading: "h", about: "a" },
    short: ["Run `dynn x`."],
    sections: [],
  });
  expect(page).toContain("<li>Run <code>dynn x</code>.</li>");
});
