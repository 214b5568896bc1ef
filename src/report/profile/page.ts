/** @file The report of a profile: the measured time that early exits save, compared with the saved
 *  multiply-accumulates, and the accuracy that they cost.
 *  It is a pure function of its record. Read by: cli. */
import { counted } from "../../core/units.js";
import { showGateRule, showThresholds } from "../../schema/policy.js";
import type {
  ProfiledNetwork,
  ProfiledPoint,
  ProfileRecord,
  Saving,
  Spread,
  Timing,
} from "../../schema/profile-record.js";
import { showKind } from "../../schema/units.js";
import { batchFacts, type Fact, list, readingFacts, runFacts } from "../audit/methods.js";
import { key } from "../plots/key.js";
import { type LatencyRow, latencyPlot } from "../plots/latency.js";
import { marksKey, profilePlot, sweepsOf } from "../plots/profile.js";
import { profileExitsPlot } from "../plots/profile-exits.js";
import { savingKey, savingPlot } from "../plots/profile-saving.js";
import { type DrawOptions, drawingIn } from "../shared/drawing.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { lossCell, speedCell } from "../shared/verdict.js";
import { gatesSections } from "./gates.js";
import { type Decision, decisionsOf, judgedPoint, POINT_NOTES, pointWords, profileVerdict } from "./verdict.js";

/** The page as text. */
export function renderProfile(record: ProfileRecord, options: DrawOptions = {}): string {
  const drawnIn = drawingIn(options);
  const dynamic = record.points.length > 0;
  const sections = [
    ...(dynamic ? [decisionSection(record)] : []),
    timeSection(record, drawnIn),
    ...(dynamic ? [savingSection(record, drawnIn)] : []),
    latencySection(record, drawnIn),
    ...(dynamic ? [exitsSection(record, drawnIn)] : []),
    ...gatesSections(record, drawnIn),
    ...(record.points.some((p) => p.kind === "sweep") ? [sweepSection(record)] : []),
    settingsSection(record),
  ];
  const { model, data, machine, rounds } = record;
  return reportPage({
    title: `${model.name}: profile`,
    kind: `Profile of ${showKind(model)}`,
    heading: html`${model.name} <small>on ${data.name}</small>`,
    about: `${write.samples(data.samples)}, ${counted(rounds, "round")}, on ${counted(machine.cores, "core")} (${machine.cpu}). All times are measured, in one run.`,
    remarks: remarks(data.notes, record.warnings, record.steadiness),
    cards: cards(record),
    short: profileVerdict(record),
    sections,
  });
}

const NBSP = "\u00a0";
const bare = (value: number): string => String(Number(value.toPrecision(3)));
const ms = (value: number): string => `${bare(value)}${NBSP}ms`;
const msSpread = ({ median, low, high }: Spread): string => `${ms(median)} (${bare(low)}–${bare(high)})`;
const times = (value: number): string => `${value.toFixed(2)}×`;
const timesSpread = ({ median, low, high }: Spread): string =>
  `${times(median)} (${low.toFixed(2)}–${high.toFixed(2)})`;

const chosenOf = ({ points }: ProfileRecord): ProfiledPoint[] => points.filter((point) => point.kind === "chosen");
const at = <T extends Timing>(timings: readonly T[], batch: number): T =>
  timings.find((timing) => timing.batch === batch) as T;
const largest = ({ batches }: ProfileRecord): number => batches[batches.length - 1];

function cards(record: ProfileRecord): Html[] {
  const { accuracy, timings } = record.static;
  const [batch, judged] = [largest(record), judgedPoint(record)];
  const own = judged?.point;
  const time = own && at(own.timings, batch);
  return [
    time
      ? card(
          `speed-up, ${judged?.name}`,
          times(time.speedUp.median),
          `batch ${batch}; predicted from MACs: ${times(1 / own.macsFraction)}`,
        )
      : NOTHING,
    own
      ? card(`accuracy, ${judged?.name}`, write.percent(own.accuracy.value), `95 %: ${write.interval(own.accuracy)}`)
      : NOTHING,
    card("accuracy, static network", write.percent(accuracy.value), `95 %: ${write.interval(accuracy)}`),
    card("time, static network", ms(at(timings, batch).msPerImage.median), `per image, batch ${batch}`),
  ];
}

/** One row per distinct decision. */
function decisionSection(record: ProfileRecord): Section {
  const columns: Column<Decision>[] = [
    { head: "decision", cell: ({ name }) => name },
    { head: "accuracy", cell: ({ point }) => write.rate(point.accuracy) },
    { head: "points lost", cell: ({ point }) => (point.lost ? lossCell(point.lost) : "–") },
    { head: "share of MACs", cell: ({ point }) => write.percent(point.macsFraction) },
    ...record.batches.map((batch) => ({
      head: `batch ${batch}`,
      cell: ({ point }: Decision) => speedCell(at(point.timings, batch).speedUp),
    })),
  ];
  const caption = `Policies that decide the same for every image share a row. Speed: over the static network (accuracy ${write.percent(record.static.accuracy.value)}); unsure where the range over the rounds holds 1. ${POINT_NOTES}`;
  return { id: "decisions", title: "What each policy gives", body: table(caption, columns, decisionsOf(record)) };
}

/** Accuracy against time at the largest and the smallest batch. */
function timeSection(record: ProfileRecord, document: Document): Section {
  const [small, large] = [record.batches[0], largest(record)];
  const sweeps = sweepsOf(record);
  const figure = (batch: number, note: string): Html =>
    html`<figure>${profilePlot(record, batch, document)}${marksKey(record)}${batch === large && sweeps.length > 0 ? key(sweeps.map((entry) => ({ ...entry, name: `sweep, ${entry.name}` }))) : NOTHING}<figcaption>Batch ${batch}. ${note}</figcaption></figure>`;
  const note =
    "Letters: networks that always run to their end. Numbers: operating points. Vertical lines: 95 % intervals of accuracy; horizontal: lowest to highest time over the rounds.";
  return {
    id: "time",
    title: "Accuracy against measured time",
    body: html`<div class="pair">${figure(large, note)}${small === large ? NOTHING : figure(small, "The same at the smallest batch.")}</div>${record.batches.map((batch) => batchTable(record, batch))}`,
  };
}

interface Row {
  readonly name: string;
  readonly accuracy: ProfiledNetwork["accuracy"];
  readonly macs: number;
  readonly timing: Timing;
  readonly saving?: Saving;
}

function rowsAt(record: ProfileRecord, batch: number): Row[] {
  const network = (name: string, { accuracy, macs, timings }: ProfiledNetwork): Row => ({
    ...{ name, accuracy, macs },
    timing: at(timings, batch),
  });
  const point = ({ name, accuracy, meanMacs, timings }: ProfiledPoint): Row => {
    const saving = at(timings, batch);
    return { name: pointWords(name), accuracy, macs: meanMacs, timing: saving, saving };
  };
  return [
    network("static", record.static),
    ...(record.baseline ? [network(`baseline ${record.baseline.name}`, record.baseline)] : []),
    ...chosenOf(record).map(point),
  ];
}

function batchTable(record: ProfileRecord, batch: number): Html {
  const columns: Column<Row>[] = [
    { head: `batch ${batch}`, cell: (r) => r.name },
    { head: "accuracy", cell: (r) => write.rate(r.accuracy) },
    { head: "mean MACs", cell: (r) => write.count(r.macs) },
    { head: "time per image", cell: (r) => msSpread(r.timing.msPerImage) },
    ...(record.points.length > 0
      ? [{ head: "speed-up", cell: (r: Row) => (r.saving ? timesSpread(r.saving.speedUp) : "") }]
      : []),
    ...(record.baseline
      ? [
          {
            head: "over baseline",
            cell: (r: Row) => (r.saving?.baselineSpeedUp ? timesSpread(r.saving.baselineSpeedUp) : ""),
          },
        ]
      : []),
  ];
  const caption = `Batch ${batch}. In brackets: 95 % Wilson intervals of accuracy; lowest and highest of ${counted(record.rounds, "round")} of time. Speed-ups compare within a round.`;
  return table(caption, columns, rowsAt(record, batch));
}

/** Predicted against measured. */
function savingSection(record: ProfileRecord, document: Document): Section {
  const { batches } = record;
  const columns: Column<ProfiledPoint>[] = [
    { head: "operating point", cell: (p) => pointWords(p.name) },
    { head: "share of MACs", cell: (p) => write.percent(p.macsFraction) },
    ...batches.map((batch) => ({
      head: `time over MACs, batch ${batch}`,
      cell: (p: ProfiledPoint) => at(p.timings, batch).overhead.toFixed(2),
    })),
    ...batches.map((batch) => ({
      head: `saving that is real, batch ${batch}`,
      cell: (p: ProfiledPoint) => realSaving(at(p.timings, batch)),
    })),
  ];
  const caption =
    "Time over MACs: share of the static network's time divided by share of its MACs; 1.00 when time is saved in proportion to MACs. Saving that is real: share of time saved divided by share of MACs saved; a dash when MACs save less than 5 %.";
  return {
    id: "saving",
    title: "How much of the saving is real",
    body: html`<div class="pair"><figure>${savingPlot(record, document)}${savingKey(record)}</figure><p>Every operating point and batch size. On the dashed diagonal, time is saved in proportion to multiply-accumulates (MACs). Below the diagonal, smaller batches, more runs of smaller graphs and routing cost time. Below the horizontal line, the dynamic network is slower than the static network with the same weights.</p></div>${table(caption, columns, chosenOf(record))}`,
  };
}

const realSaving = ({ realSaving: share }: Saving): string => (share === null ? "–" : write.percent(share));

function latencySection(record: ProfileRecord, document: Document): Section {
  const rows = (batch: number): LatencyRow[] =>
    rowsAt(record, batch).flatMap(({ name, timing: { latencyMs }, saving }) =>
      latencyMs ? [{ name, latency: latencyMs, reference: saving === undefined }] : [],
    );
  const figure = (batch: number): Html =>
    html`<figure>${latencyPlot(batch, rows(batch), document)}<figcaption>Batch ${batch}: ${counted(rows(batch)[0].latency.requests, "request")} to each network.</figcaption></figure>`;
  const columns = (batch: number): Column<LatencyRow>[] => [
    { head: `batch ${batch}`, cell: (r) => r.name },
    { head: "median", cell: (r) => ms(r.latency.p50) },
    { head: "95th percentile", cell: (r) => ms(r.latency.p95) },
    { head: "99th percentile", cell: (r) => ms(r.latency.p99) },
  ];
  return {
    id: "latency",
    title: "Latency",
    body: html`<p>Time from the arrival of a batch, which runs alone, to its last answer. Dot: median; ticks: 95th and 99th percentile. Early exits make the slowest answers faster only when the whole batch stops early.</p><div class="pair">${record.batches.map(figure)}</div>${record.batches.map((batch) => table(`Latency at batch ${batch}.`, columns(batch), rows(batch)))}`,
  };
}

function exitsSection(record: ProfileRecord, document: Document): Section {
  const names = record.model.exits.map((exit) => exit.name);
  const panel = (point: ProfiledPoint): Html =>
    html`<figure><figcaption><b>${pointWords(point.name)}</b> ${point.rule}, ${showThresholds(point)}${showGateRule(point)}</figcaption>${profileExitsPlot(point.name, point.exitCounts, names, document)}</figure>`;
  return {
    id: "exits",
    title: "Where images stop",
    body: html`<div class="multiples">${chosenOf(record).map(panel)}</div>`,
  };
}

function sweepSection(record: ProfileRecord): Section {
  const columns: Column<ProfiledPoint>[] = [
    { head: "rule", cell: (p) => p.rule },
    { head: "threshold", cell: (p) => `${showThresholds(p)}${showGateRule(p)}` },
    { head: "accuracy", cell: (p) => write.rate(p.accuracy) },
    { head: "mean MACs", cell: (p) => write.count(p.meanMacs) },
    { head: "time per image", cell: (p) => msSpread(p.timings[0].msPerImage) },
    { head: "speed-up", cell: (p) => timesSpread(p.timings[0].speedUp) },
    { head: "time over MACs", cell: (p) => p.timings[0].overhead.toFixed(2) },
  ];
  const caption = `Batch ${largest(record)}. Thresholds were chosen on validation records so that their mean costs are evenly spaced.`;
  const rows = record.points.filter((point) => point.kind === "sweep");
  return { id: "sweep", title: "Sweep of each rule", body: table(caption, columns, rows) };
}

function settingsSection({
  machine,
  made,
  data,
  rounds,
  batches,
  model,
  tool,
  memory,
  seconds,
}: ProfileRecord): Section {
  const facts: Fact[] = [
    ["machine", `${counted(machine.cores, "core")}, ${machine.cpu}; load before the run ${machine.load.toFixed(2)}`],
    [
      "engine",
      `${tool.name} ${tool.version}, ${machine.runtime}, ${machine.engine}, ${machine.threads === null ? "default number of threads" : `threads: ${machine.threads}`}`,
    ],
    ["model", `${model.name}: ${write.count(model.parameters)} parameters`],
    [
      "data",
      `${data.name}, ${write.samples(data.samples)}${data.validation ? `; thresholds chosen on ${data.validation.name} (${write.samples(data.validation.samples)}), none of them in the results of this report` : ""}`,
    ],
    [
      "order",
      `warm-up, then ${counted(rounds, "round")} in which all networks take turns at batch ${batches.join(", ")}; every other round backwards`,
    ],
    ...batchFacts(memory, "; for runs that are not timed"),
    ["static", "the same weights up to the final exit, in one session, without the heads of early exits"],
    ["nothing leaves", "every exit is evaluated and none fires: the cost of early exits when they save nothing"],
    ["seed", data.seed],
    ["time", write.duration(seconds)],
    ...runFacts(made, model.sha256),
    ...readingFacts(model),
  ];
  return { id: "settings", title: "Settings", body: list(facts) };
}
