/** @file The report of a conversion: where exits stand and why, how often each is right, what the
 *  policy saves and costs, and what to try.
 *  It is a pure function of its record. Read by: cli. */
import type { ConversionRecord } from "../../schema/conversion-record.js";
import { showThresholds } from "../../schema/policy.js";
import { targetWords } from "../../schema/target.js";
import { showUnits } from "../../schema/units.js";
import { engineWords, type Fact, list, machineFacts, runFacts } from "../audit/methods.js";
import { key } from "../plots/key.js";
import { type Curve, curvesPlot, lineStyle } from "../plots/training.js";
import { type DrawOptions, drawingIn } from "../shared/drawing.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING, withCode } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { lossCell, speedOf, speedWords } from "../shared/verdict.js";
import { conversionAdvice, conversionVerdict } from "./verdict.js";

/** The page as text. */
export function renderConversion(record: ConversionRecord, options: DrawOptions = {}): string {
  const drawnIn = drawingIn(options);
  const { model, data, exits, warnings, speeds, placesSteadiness } = record;
  return reportPage({
    title: `${model.name}: conversion`,
    kind: "Conversion to early exits",
    heading: html`${model.name} <small>with ${data.train.name}</small>`,
    about: `${showUnits({ exits })}. The weights of the source did not change; only the heads of the early exits are new.`,
    remarks: remarks(data.notes, warnings, speeds?.steadiness ?? placesSteadiness),
    cards: cards(record),
    short: conversionVerdict(record),
    sections: [
      adviceSection(record),
      ...outcomeSection(record),
      exitsSection(record),
      placesSection(record),
      trainingSection(record, drawnIn),
      settingsSection(record),
    ],
  });
}

function cards({ outcome, speeds, exits }: ConversionRecord): Html[] {
  const final = exits[exits.length - 1].validation;
  if (outcome === null)
    return [card("final exit, validation", write.percent(final.value), `95 %: ${write.interval(final)}`)];
  const { accuracy, meanCostFraction: cost, records } = outcome;
  return [
    ...(speeds?.batches ?? []).map(({ batch, speedUp: { median, low, high } }) =>
      card(
        `speed at batch ${batch}`,
        speedOf({ median, low, high }) === "unsure" ? "unsure" : `${median.toFixed(2)}×`,
        `${low.toFixed(2)}–${high.toFixed(2)} over ${speeds?.rounds} rounds`,
      ),
    ),
    card("mean cost", write.percent(cost.value), `95 %: ${write.interval(cost)}`),
    card(`accuracy, ${records}`, write.percent(accuracy.value), `95 %: ${write.interval(accuracy)}`),
    card("before: final exit alone", write.percent(outcome.final.value), `95 %: ${write.interval(outcome.final)}`),
  ];
}

function adviceSection(record: ConversionRecord): Section {
  const advice = conversionAdvice(record);
  const body =
    advice.length > 0
      ? html`<ul class="findings">${advice.map((line) => html`<li>${withCode(line)}</li>`)}</ul>`
      : html`<p>Nothing stands out. <code>dynn profile</code> measures the time of the written file with more images and policies.</p>`;
  return { id: "try", title: "What to try", body };
}

/** Before and after. */
function outcomeSection({ outcome, speeds, policy, target }: ConversionRecord): Section[] {
  if (outcome === null || policy === null) return [];
  const rows = [
    {
      name: "before: the final exit alone",
      accuracy: write.rate(outcome.final),
      lost: "–",
      cost: "100.0 %",
      speeds: "1",
    },
    {
      name: `after: ${policy.rule} ${showThresholds(policy)}`,
      accuracy: write.rate(outcome.accuracy),
      lost: lossCell(outcome.lost),
      cost: write.rate(outcome.meanCostFraction),
      speeds: undefined,
    },
  ];
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { head: "network", cell: (row) => row.name },
    { head: "accuracy", cell: (row) => row.accuracy },
    { head: "points lost", cell: (row) => row.lost },
    { head: "mean cost", cell: (row) => row.cost },
    ...(speeds?.batches ?? []).map(({ batch, speedUp }) => ({
      head: `batch ${batch}`,
      cell: (row: Row) => row.speeds ?? speedWords(speedUp),
    })),
  ];
  const where =
    outcome.records === "test"
      ? `On ${outcome.samples} test images, which neither heads nor thresholds have seen.`
      : `On ${outcome.samples} validation images. Each is answered under thresholds that the other images chose, in five parts.`;
  const caption = `${where} ${target ? `Thresholds: ${targetWords(target)}. ` : ""}In brackets: 95 % intervals; for speed, lowest to highest over the rounds${speeds ? `, on ${speeds.images} images` : ""}.`;
  return [{ id: "outcome", title: "Before and after", body: table(caption, columns, rows) }];
}

function exitsSection({ exits, data }: ConversionRecord): Section {
  const columns: Column<ConversionRecord["exits"][number]>[] = [
    { head: "exit", cell: (e) => e.name },
    { head: "cost", cell: (e) => write.percent(e.costFraction) },
    { head: "MACs", cell: (e) => write.count(e.macs) },
    { head: "right, learned from", cell: (e) => write.percent(e.train) },
    { head: "right, validation", cell: (e) => write.rate(e.validation) },
    ...(data.test
      ? [{ head: "right, test", cell: (e: (typeof exits)[number]) => (e.test ? write.rate(e.test) : "–") }]
      : []),
  ];
  const caption =
    "Every exit alone. Where an exit is far more often right on the images that it learned from than on validation images, it saw too few.";
  return { id: "exits", title: "Every exit", body: table(caption, columns, exits) };
}

function placesSection({ places, cost }: ConversionRecord): Section {
  const columns: Column<ConversionRecord["places"][number]>[] = [
    { head: "place", cell: (p) => p.cut },
    { head: "shape", cell: (p) => p.shape },
    { head: "cost before it", cell: (p) => write.percent(p.fraction) },
    { head: "head", cell: (p) => write.percent(p.headFraction) },
    { head: "exit", align: "left", cell: (p) => p.exit ?? "–" },
    { head: "why not", align: "left", cell: (p) => (p.exit === undefined ? (p.unfit ?? "another exit is near") : "") },
  ];
  const by = cost === "time" ? "time, measured on this machine" : "multiply-accumulates";
  const caption = `Every place where an exit could stand, from input to output. Cost: ${by}, as a share of the network.`;
  return { id: "places", title: "Where exits stand", body: table(caption, columns, places) };
}

/** Accuracy of each exit after each pass. */
function trainingSection({ exits, training }: ConversionRecord, document: Document): Section {
  const curves = exits.map(
    ({ name }, k): Curve => ({ name, values: training.curve.map(({ validation }) => validation[k]) }),
  );
  const label = "Validation accuracy of each exit after each pass over the training images.";
  const options = { label, y: "accuracy", tickFormat: write.wholePercent, domain: [0, 1] as const };
  const kept =
    training.bestStep < training.steps
      ? `The weights after step ${training.bestStep} are kept: they were best on the validation images.`
      : "";
  const stopped =
    training.steps < training.planned
      ? `The run stopped after ${training.steps} of ${training.planned} steps, because validation did not improve any more.`
      : `The run had ${training.steps} steps.`;
  const body = html`<p>${stopped} ${kept}</p><figure>${curvesPlot(curves, options, document)}<figcaption>${label}</figcaption>${
    curves.length > 1 ? key(curves.map(({ name }, i) => ({ name, ...lineStyle(i) }))) : NOTHING
  }</figure>`;
  return { id: "training", title: "How the heads learned", body };
}

function settingsSection({ data, training, target, tool, model, cost, made }: ConversionRecord): Section {
  const facts: Fact[] = [
    ["training images", `${data.train.name}: ${data.train.count}`],
    ["validation images", `${data.validation.name}: ${data.validation.count}`],
    ["test images", data.test ? `${data.test.name}: ${data.test.count}` : "none"],
    ["target", target ? targetWords(target) : "none: no policy"],
    ["exits placed by", cost === null ? "the call" : cost === "time" ? "measured time" : "multiply-accumulates"],
    ["recipe", `${training.recipe}, batch ${training.batch}, ${training.planned} steps at most`],
    ["parameters", write.count(model.parameters)],
    ...runFacts(made, model.sha256),
    ["engine", engineWords(tool, made)],
    ...machineFacts(made),
    ["time of the training", write.duration(training.seconds)],
  ];
  return { id: "settings", title: "Settings", body: list(facts) };
}
