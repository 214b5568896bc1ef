/** @file Prints the calibration record as tables for a terminal. */
import { counted, showCount } from "../../core/units.js";
import { visibleLine } from "../../core/visible.js";
import { calibrationVerdict } from "../../report/calibration/verdict.js";
import { bounds, budget, worstCaseWarnings } from "../../report/shared/format.js";
import { batchLine } from "../../report/shared/memory.js";
import type { CalibrationPoint, CalibrationRecord } from "../../schema/calibration-record.js";
import { gateThresholds, showGateRule, showGateThreshold, showThreshold, showThresholds } from "../../schema/policy.js";
import { showUnits } from "../../schema/units.js";
import { busyNote } from "../shared/busy.js";
import {
  type Column,
  heading,
  notesAndWarnings,
  percent,
  readingNotes,
  showNumbers,
  showRate,
  table,
} from "../shared/table.js";

const verdictLines = (record: CalibrationRecord): string =>
  calibrationVerdict(record)
    .map((line) => `${visibleLine(line)}\n`)
    .join("");

/** The verdict, the outcome, and the attack if there is one. */
export const calibrationSummary = (record: CalibrationRecord): string =>
  [
    heading(`${record.model.name} on ${record.data.test.name}`),
    verdictLines(record),
    notesAndWarnings(record.data.notes, record.warnings),
    busyNote(record.steadiness ?? record.speeds?.steadiness),
    outcomeTable(record),
    attackTable(record),
    NOTE,
    "--full shows every exit and the curve of thresholds; --report draws them.\n",
  ].join("");

/** Every table. */
export const calibrationTables = (record: CalibrationRecord): string =>
  [
    title(record),
    verdictLines(record),
    notesAndWarnings(record.data.notes, record.warnings),
    exitTable(record),
    gateTable(record),
    busyNote(record.steadiness ?? record.speeds?.steadiness),
    outcomeTable(record),
    curveTable(record),
    attackTable(record),
    NOTE,
  ].join("");

const NOTE =
  "\nIn brackets: 95 % intervals, Wilson's for accuracy, mean +- 1.96 standard errors for cost.\nThe policy was chosen by the validation figures, so these are a little too good.\n";

const title = ({ model, data, exits, memory }: CalibrationRecord): string =>
  `${heading(`${model.name} on ${data.test.name}`)}chosen on ${counted(data.validation.samples, "sample")} of ${data.validation.name}, tested on ${data.test.samples} other samples, ${showCount(model.parameters)} parameters, ${showUnits({ exits, gates: model.gates })}\n${batchLine(memory)}${readingNotes(model)}`;

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const left = (head: string): Column => ({ head, align: "left" });

function exitTable({ exits, policy }: CalibrationRecord): string {
  const [timed, scaled] = [exits.some((e) => e.milliseconds !== undefined), policy.temperatures !== undefined];
  const bars = exits.map((_, k) =>
    k === exits.length - 1 ? "-" : showThreshold(policy.rule, policy.thresholds[k] ?? policy.thresholds[0]),
  );
  const heads = [
    ...["cost", ...(timed ? ["time"] : []), "accuracy, test", "threshold"],
    ...(scaled ? ["temperature", "ECE, test", "scaled"] : ["ECE, test"]),
  ];
  return (
    heading("Exits") +
    table(
      [left("exit"), ...heads.map((head) => ({ head }))],
      exits.map((e, k) => [
        e.name,
        percent(e.costFraction),
        ...(timed ? [ms(e.milliseconds ?? 0)] : []),
        showRate(e.test.accuracy),
        bars[k],
        ...(scaled ? [showNumbers([e.temperature ?? 1])] : []),
        percent(e.test.plain.ece),
        ...(scaled ? [percent(e.test.scaled?.ece ?? 0)] : []),
      ]),
    )
  );
}

function gateTable({ model: { gates = [] }, policy, test }: CalibrationRecord): string {
  if (gates.length === 0) return "";
  const thresholds = gateThresholds(policy, gates.length);
  const rate = (share: number | null | undefined): string => (typeof share === "number" ? percent(share) : "-");
  const rows = gates.map(({ name, costFraction, exit }, k) => [
    ...[name, percent(costFraction), exit],
    ...[showGateThreshold(thresholds[k]), rate(test.openRates?.[k])],
  ]);
  const heads = [{ head: "saves" }, left("before exit"), { head: "threshold" }, { head: "open, test" }];
  return heading("Gates") + table([left("gate"), ...heads], rows);
}

function outcomeTable(record: CalibrationRecord): string {
  const { validation, test, policy, exits } = record;
  const timed = test.meanMilliseconds !== undefined;
  const rows = [
    ["validation", validation],
    ["test", test],
  ] as const;
  const final = exits.at(-1)?.test.accuracy;
  return (
    heading(
      `Chosen: ${policy.rule}, thresholds ${showThresholds(policy) || "none"}, fallback ${policy.fallback}${showGateRule(policy)}`,
    ) +
    table(
      [
        left("records"),
        { head: "accuracy" },
        { head: "mean cost" },
        ...(timed ? [{ head: "mean time" }] : []),
        { head: "stop at each exit" },
      ],
      rows.map(([name, o]) => [
        name,
        showRate(o.accuracy),
        showRate(o.meanCostFraction),
        ...(timed ? [ms(o.meanMilliseconds?.value ?? 0)] : []),
        o.exitCounts.join(" "),
      ]),
    ) +
    (final ? `final exit alone, test: ${showRate(final)} at 100 % of the cost\n` : "")
  );
}

/** The number of points of the curve that a terminal shows. The report and the record have all
 * points. */
const SHOWN = 8;

function curveTable({ curves, costUnit, policy: { rule } }: CalibrationRecord): string {
  const cost = (value: number): string => (costUnit === "share" ? percent(value) : ms(value));
  const columns = ["cost", "accuracy", "cost, test", "accuracy, test"].map((head) => ({ head }));
  return [
    ["One threshold for all exits, best at each cost (validation)", curves.uniform] as const,
    ["A threshold per exit, best at each cost (validation)", curves.perExit] as const,
  ]
    .filter(([, points]) => points.length > 0)
    .map(
      ([name, points]) =>
        heading(name) +
        table(
          [...columns, left("thresholds")],
          spread(points).map(({ validation, test, thresholds, gates }) => [
            cost(validation.cost),
            showRate(validation.accuracy),
            cost(test.cost),
            showRate(test.accuracy),
            `${showThresholds({ rule, thresholds }) || "none"}${showGateRule({ gates })}`,
          ]),
        ),
    )
    .join("");
}

/** Points evenly spread over the curve, with both ends. */
const spread = (points: readonly CalibrationPoint[]): CalibrationPoint[] => {
  const count = Math.min(SHOWN, points.length);
  return Array.from(
    { length: count },
    (_, i) => points[Math.round((i * (points.length - 1)) / Math.max(1, count - 1))],
  );
};

function attackTable({ worstCase }: CalibrationRecord): string {
  if (!worstCase) return "";
  const { attack, norm, radius, rounds, held, validation, test } = worstCase;
  const rows = [
    ["validation", validation],
    ["test", test],
  ] as const;
  return (
    heading(`Under attack: ${attack}, ${budget(norm, radius)}; bounds: ${bounds(worstCase)}`) +
    table(
      [left("records"), { head: "samples" }, { head: "mean cost" }, { head: "accuracy" }],
      rows.map(([name, a]) => [name, String(a.samples), showRate(a.meanCost), showRate(a.accuracy)]),
    ) +
    worstCaseWarnings(worstCase)
      .map((line) => `Warning: ${line}\n`)
      .join("") +
    `${held ? "This holds" : "This does NOT hold"} against a fresh attack on the validation records (${counted(rounds, "round")}).\n`
  );
}
