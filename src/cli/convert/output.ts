/** @file Prints the results of `dynn convert`: the places of exits with reasons, the verdict, and
 *  the effect of the policy. */

import { showShape } from "../../core/shape.js";
import { visibleLine } from "../../core/visible.js";
import { conversionAdvice, conversionVerdict } from "../../report/conversion/verdict.js";
import { speedCell } from "../../report/shared/verdict.js";
import type { ConversionRecord } from "../../schema/conversion-record.js";
import type { Placement } from "../../schema/model-card.js";
import { showThresholds } from "../../schema/policy.js";
import { steadinessOf } from "../../schema/steadiness.js";
import type { PlaceReport } from "../../training/convert/plan.js";
import { busyNote } from "../shared/busy.js";
import { heading, notesAndWarnings, percent, showRate, table } from "../shared/table.js";

/** Every place for an exit, with its cost and the reason when it does not get an exit. */
export const placesTable = (places: readonly PlaceReport[], placement?: Placement): string =>
  heading(`Places for an exit${placement?.cost === "time" ? `, cost measured at batch ${placement.batch}` : ""}`) +
  table(
    [
      { head: "place", align: "left" },
      { head: "shape", align: "left" },
      { head: "cost" },
      { head: "head" },
      { head: "exit", align: "left" },
      { head: "why not", align: "left" },
    ],
    places.map((place) => [
      place.cut,
      showShape(place.shape),
      percent(place.fraction),
      percent(place.headFraction),
      place.exit ?? "-",
      place.exit === undefined ? (place.unfit ?? `near ${nearest(place, places)}`) : "",
    ]),
  ) +
  busyNote(placement?.cost === "time" ? steadinessOf(placement.roundSpread) : undefined);

/** The exit nearest in cost. */
function nearest({ fraction }: PlaceReport, places: readonly PlaceReport[]): string | undefined {
  const distance = (place: PlaceReport) => Math.abs(place.fraction - fraction);
  return places.filter(({ exit }) => exit !== undefined).sort((a, b) => distance(a) - distance(b))[0]?.exit;
}

/** The verdict of a conversion, the accuracy before and after, and what to try. */
export function conversionSummary(record: ConversionRecord): string {
  const advice = conversionAdvice(record);
  return [
    heading(`${record.model.name} with early exits`),
    lines(conversionVerdict(record)),
    notesAndWarnings(record.data.notes, record.warnings),
    busyNote(record.speeds?.steadiness),
    exitsTable(record),
    outcomeTable(record),
    advice.length > 0 ? `${heading("What to try")}${lines(advice)}` : "",
  ].join("");
}

const lines = (all: readonly string[]): string => all.map((line) => `${visibleLine(line)}\n`).join("");

function exitsTable({ exits, data }: ConversionRecord): string {
  const { train, validation, test } = data;
  const columns = [
    { head: "exit", align: "left" as const },
    { head: "cost" },
    { head: `learned (${train.count})` },
    { head: `validation (${validation.count})` },
    ...(test ? [{ head: `test (${test.count})` }] : []),
  ];
  const rows = exits.map((e) => [
    ...[e.name, percent(e.costFraction), percent(e.train), showRate(e.validation)],
    ...(e.test ? [showRate(e.test)] : []),
  ]);
  return `\n${table(columns, rows)}`;
}

/** The final exit alone, and the policy. */
function outcomeTable({ outcome, policy, speeds }: ConversionRecord): string {
  if (!outcome || !policy) return "";
  const columns = [
    { head: `${outcome.samples} ${outcome.records} images`, align: "left" as const },
    { head: "accuracy" },
    { head: "mean cost" },
    ...(speeds?.batches ?? []).map(({ batch }) => ({ head: `batch ${batch}` })),
  ];
  const rows = [
    ["before: final exit", showRate(outcome.final), percent(1), ...(speeds?.batches ?? []).map(() => "1x")],
    [
      `after: ${policy.rule} ${showThresholds(policy)}`,
      showRate(outcome.accuracy),
      percent(outcome.meanCostFraction.value),
      ...(speeds?.batches ?? []).map(({ speedUp }) => speedCell(speedUp)),
    ],
  ];
  return `\n${table(columns, rows)}`;
}
