/** @file The report of a calibration: the accuracy-cost curve with the chosen point, and the
 *  figures of that point on test records.
 *  It is a pure function of its record. Read by: cli. */
import type { CalibrationOutcome, CalibrationRecord } from "../../schema/calibration-record.js";
import { gateThresholds, showGateThreshold, showThreshold, showThresholds } from "../../schema/policy.js";
import { targetWords } from "../../schema/target.js";
import { showKind } from "../../schema/units.js";
import {
  batchFacts,
  engineWords,
  type Fact,
  gateFacts,
  list,
  machineFacts,
  readingFacts,
  runFacts,
} from "../audit/methods.js";
import { key } from "../plots/key.js";
import { curvesOf, paretoPlot } from "../plots/pareto.js";
import { type DrawOptions, drawingIn } from "../shared/drawing.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { calibrationVerdict } from "./verdict.js";

/** The page as text. */
export function renderCalibration(record: CalibrationRecord, options: DrawOptions = {}): string {
  const drawnIn = drawingIn(options);
  const sections = [
    curveSection(record, drawnIn),
    outcomeSection(record),
    exitsSection(record),
    ...gatesSection(record),
    ...(record.worstCase ? [attackSection(record.worstCase)] : []),
    settingsSection(record),
  ];
  const { model, data, warnings, exits, steadiness, speeds } = record;
  return reportPage({
    title: `${model.name}: calibration`,
    kind: `Calibration of ${showKind({ exits, gates: model.gates })}`,
    heading: html`${model.name} <small>on ${data.test.name}</small>`,
    about: `Thresholds chosen on ${write.samples(data.validation.samples)} of ${data.validation.name}; the figures here are from ${write.samples(data.test.samples)} that are not among them.`,
    remarks: remarks(data.notes, warnings, steadiness ?? speeds?.steadiness),
    cards: cards(record),
    short: calibrationVerdict(record),
    sections,
  });
}

const milliseconds = (ms: number): string => `${Number(ms.toPrecision(3))}\u00a0ms`;
const temperature = (t: number): string => String(Number(t.toPrecision(4)));

function cards({ test, worstCase, exits }: CalibrationRecord): Html[] {
  const final = exits[exits.length - 1].test.accuracy;
  const time = test.meanMilliseconds;
  const { value: cost } = test.meanCostFraction;
  return [
    card("accuracy, test", write.percent(test.accuracy.value), `95 %: ${write.interval(test.accuracy)}`),
    card("final exit alone", write.percent(final.value), `95 %: ${write.interval(final)}`),
    card("mean cost, test", write.percent(cost), `saves ${write.percent(1 - cost)}`),
    time ? card("mean time, test", milliseconds(time.value), "per sample, from measured times per exit") : NOTHING,
    worstCase?.maxCost === undefined
      ? NOTHING
      : card(
          "mean cost under attack, test",
          write.percent(worstCase.test.meanCost.value),
          `${worstCase.attack}; at most ${write.percent(worstCase.maxCost)}`,
        ),
    worstCase?.minAccuracy === undefined
      ? NOTHING
      : card(
          "accuracy under attack, test",
          write.percent(worstCase.test.accuracy.value),
          `${worstCase.attack}; at least ${write.percent(worstCase.minAccuracy)}`,
        ),
  ];
}

function curveSection(record: CalibrationRecord, document: Document): Section {
  const entries = curvesOf(record);
  return {
    id: "curve",
    title: "Accuracy against cost",
    body: html`<figure>${paretoPlot(record, document)}${key(entries)}<figcaption>Lines: the best accuracy that thresholds reach at each mean cost on the validation records. Shaded: the 95 % intervals of the chosen kind of thresholds. Grey dots: every exit alone. Diamond: the chosen point. Square with a cross: the same policy on test records, with the 95 % intervals of both.</figcaption></figure>`,
  };
}

/** The figures on validation records beside those on test records. */
function outcomeSection(record: CalibrationRecord): Section {
  const { validation, test, exits } = record;
  const rows = [
    { name: "validation (chosen on these)", outcome: validation },
    { name: "test", outcome: test },
  ];
  type Row = (typeof rows)[number];
  const mean = ({ value, low, high }: CalibrationOutcome["meanCostFraction"]): string =>
    write.rate({ value, low, high });
  const columns: Column<Row>[] = [
    { head: "records", cell: ({ name, outcome }) => html`${name} <small>${write.samples(outcome.samples)}</small>` },
    { head: "accuracy", cell: ({ outcome }) => write.rate(outcome.accuracy) },
    { head: "mean cost", cell: ({ outcome }) => mean(outcome.meanCostFraction) },
    ...(test.meanMilliseconds
      ? [{ head: "mean time", cell: ({ outcome }: Row) => milliseconds(outcome.meanMilliseconds?.value ?? 0) }]
      : []),
    ...exits.map(({ name }, k) => ({
      head: `stop at ${write.shorten(name, 10)}`,
      cell: ({ outcome }: Row) => write.percent(outcome.exitCounts[k] / Math.max(1, outcome.samples)),
    })),
  ];
  const caption =
    "The policy was chosen on the validation records, so its figures there are a little too good. In brackets: 95 % intervals, Wilson's for accuracy, mean ± 1.96 standard errors for cost.";
  return { id: "outcome", title: "Expected and found", body: table(caption, columns, rows) };
}

function exitsSection({ exits, policy, test }: CalibrationRecord): Section {
  const barOf = (k: number): string =>
    k === exits.length - 1 ? "–" : showThreshold(policy.rule, policy.thresholds[k] ?? policy.thresholds[0]);
  const scaled = policy.temperatures !== undefined;
  const error = (k: number): string => {
    const { plain, scaled: after } = exits[k].test;
    return after ? `${write.percent(plain.ece)} → ${write.percent(after.ece)}` : write.percent(plain.ece);
  };
  const columns: Column<number>[] = [
    { head: "exit", cell: (k) => exits[k].name },
    { head: "cost", cell: (k) => write.percent(exits[k].costFraction) },
    ...(test.meanMilliseconds ? [{ head: "time", cell: (k: number) => milliseconds(exits[k].milliseconds ?? 0) }] : []),
    { head: "accuracy, validation", cell: (k) => write.rate(exits[k].validation.accuracy) },
    { head: "accuracy, test", cell: (k) => write.rate(exits[k].test.accuracy) },
    { head: policy.rule === "patience" ? "exits that must agree" : "threshold", cell: barOf },
    ...(scaled ? [{ head: "temperature", cell: (k: number) => temperature(exits[k].temperature ?? 1) }] : []),
    { head: "calibration error, test", cell: error },
  ];
  const caption = `Every exit alone. Calibration error: mean distance between confidence and accuracy over 15 bins${scaled ? "; before and after the temperature, which was fitted on validation records" : ""}.`;
  return { id: "exits", title: "Every exit", body: table(caption, columns, [...exits.keys()]) };
}

/** The gates with their thresholds, and how often each is open. Empty without gates. */
function gatesSection({ model: { gates }, policy, validation, test }: CalibrationRecord): Section[] {
  if (gates === undefined) return [];
  const thresholds = gateThresholds(policy, gates.length);
  const rate = (of: CalibrationOutcome, k: number): string => {
    const share = of.openRates?.[k];
    return typeof share === "number" ? write.percent(share) : "–";
  };
  const columns: Column<number>[] = [
    { head: "gate", cell: (k) => gates[k].name },
    { head: "saves", cell: (k) => write.percent(gates[k].costFraction) },
    { head: "before exit", cell: (k) => gates[k].exit },
    { head: "threshold", cell: (k) => showGateThreshold(thresholds[k]) },
    { head: "open, validation", cell: (k) => rate(validation, k) },
    { head: "open, test", cell: (k) => rate(test, k) },
  ];
  const caption =
    "What each gate saves of the full cost when it is closed, and how often it is open for a sample that meets it.";
  return [{ id: "gates", title: "Every gate", body: table(caption, columns, [...gates.keys()]) }];
}

function attackSection(worst: NonNullable<CalibrationRecord["worstCase"]>): Section {
  const rows = [
    { name: "validation", attacked: worst.validation },
    { name: "test", attacked: worst.test },
  ];
  const columns: Column<(typeof rows)[number]>[] = [
    { head: "records", cell: ({ name, attacked }) => html`${name} <small>${write.samples(attacked.samples)}</small>` },
    { head: "mean cost under attack", cell: ({ attacked }) => write.rate(attacked.meanCost) },
    { head: "accuracy under attack", cell: ({ attacked }) => write.rate(attacked.accuracy) },
  ];
  const verdict = worst.held
    ? "The bounds hold against a new attack on the validation records, which was not used to choose the policy."
    : "The bounds do not hold against a new attack on the validation records, because the attack adapts to the policy. Set tighter bounds than you need.";
  const caption = `Attack ${worst.attack} (${worst.objective}, ${write.budget(worst.norm, worst.radius)}), images rounded to 8 bits; bounds: ${write.bounds(worst)}. Validation records were attacked ${worst.rounds === 1 ? "once" : `${worst.rounds} times`}, under the policy chosen so far.`;
  const warnings = write.worstCaseWarnings(worst).map((line) => html`<p class="warning"><b>Warning:</b> ${line}</p>`);
  return {
    id: "attack",
    title: "Under attack",
    body: html`<p>${verdict}</p>${table(caption, columns, rows)}${warnings}`,
  };
}

function settingsSection({
  model,
  target,
  thresholdKind,
  policy,
  data,
  tool,
  made,
  memory,
  seconds,
}: CalibrationRecord): Section {
  const facts: Fact[] = [
    ["target", targetWords(target)],
    ["exit rule", `${policy.rule}, fallback ${policy.fallback}`],
    ["thresholds", `${thresholdKind}: ${showThresholds(policy) || "none"}`],
    ...gateFacts(policy),
    ...(policy.temperatures ? [["temperatures", policy.temperatures.map(temperature).join(", ")] as Fact] : []),
    ...readingFacts(model),
    ["seed", data.seed],
    ["engine", engineWords(tool, made)],
    ...batchFacts(memory),
    ["time", write.duration(seconds)],
    ...runFacts(made, model.sha256),
    ...machineFacts(made),
  ];
  return { id: "settings", title: "Settings", body: list(facts) };
}
