/** @file Prints the profile record as tables for a terminal. */
import { counted, showCount } from "../../core/units.js";
import { visibleLine } from "../../core/visible.js";
import { decisionsOf, POINT_NOTES, pointWords, profileVerdict } from "../../report/profile/verdict.js";
import { batchLine } from "../../report/shared/memory.js";
import { lossCell, speedCell } from "../../report/shared/verdict.js";
import { showGateRule, showThresholds } from "../../schema/policy.js";
import type {
  ProfiledNetwork,
  ProfiledPoint,
  ProfileRecord,
  Saving,
  Spread,
  Timing,
} from "../../schema/profile-record.js";
import { busyNote } from "../shared/busy.js";
import { type Column, heading, notesAndWarnings, percent, readingNotes, showRate, table } from "../shared/table.js";

/** The verdict, and one row per distinct decision. */
export const profileSummary = (record: ProfileRecord): string =>
  [
    heading(`${record.model.name} on ${record.data.name}`),
    ...profileVerdict(record).map((line) => `${visibleLine(line)}\n`),
    notesAndWarnings(record.data.notes, record.warnings),
    busyNote(record.steadiness),
    decisionTable(record),
    record.points.length > 0 ? `\n${POINT_NOTES}\n` : "",
    conditions(record),
    "--full shows latencies, every exit and the sweep of each rule; --report draws them.\n",
  ].join("");

/** Every table. */
export const profileTables = (record: ProfileRecord): string =>
  [
    title(record),
    ...profileVerdict(record).map((line) => `${visibleLine(line)}\n`),
    notesAndWarnings(record.data.notes, record.warnings),
    ...record.batches.map((batch) => batchTable(record, batch) + busyNote(record.steadiness)),
    exitTable(record),
    sweepTable(record),
    note(record),
  ].join("");

/** Accuracy, loss, work and speed of each decision. */
function decisionTable(record: ProfileRecord): string {
  const { batches, baseline } = record;
  const full = record.static;
  const speeds = (timings: readonly Saving[]): string[] =>
    batches.map((batch) => {
      const timing = at(timings, batch);
      return timing ? speedCell(timing.speedUp) : "-";
    });
  const rows = decisionsOf(record).map(({ name, point }) => [
    name,
    percent(point.accuracy.value),
    point.lost ? lossCell(point.lost) : "-",
    percent(point.macsFraction),
    ...speeds(point.timings),
  ]);
  const whole = ({ accuracy, macs, timings }: ProfiledNetwork): string[] => [
    percent(accuracy.value),
    "-",
    percent(macs / full.macs),
    ...batches.map((batch) => `${ms(at(timings, batch)?.msPerImage.median ?? 0)} ms`),
  ];
  const columns = [left(""), ...right("accuracy", "points lost", "work", ...batches.map((batch) => `batch ${batch}`))];
  return `\n${table(columns, [
    ["static", ...whole(full)],
    ...(baseline ? [[`baseline ${baseline.name}`, ...whole(baseline)]] : []),
    ...rows,
  ])}`;
}

/** What the numbers of the short form were measured on. */
const conditions = ({ data, rounds, machine, model }: ProfileRecord): string =>
  `${data.samples} images${data.validation ? `, thresholds chosen on ${data.validation.samples} others` : ""}, ${rounds === 1 ? "1 round" : `${rounds} rounds`}, ${machine.cores} cores. Intervals hold 95 %; ranges of times are lowest to highest.\n${readingNotes(model)}`;

const left = (head: string): Column => ({ head, align: "left" });
const right = (...heads: readonly string[]): Column[] => heads.map((head) => ({ head }));

function title({ model, data, machine, memory, rounds }: ProfileRecord): string {
  const { cores, cpu, runtime, engine, threads, load } = machine;
  const chosen = data.validation ? `, thresholds chosen on ${data.validation.samples} other images` : "";
  return `${heading(`${model.name} on ${data.name}`)}${counted(data.samples, "image")}${chosen}, ${counted(rounds, "round")}, seed ${data.seed}
${counted(cores, "core")} (${cpu}), ${threads === null ? "" : `${counted(threads, "thread")}, `}${runtime}, ${engine}, load before ${load.toFixed(1)}
${batchLine(memory, "; for runs that are not timed")}${readingNotes(model)}`;
}

const ms = (value: number): string => String(Number(value.toPrecision(3)));
const msSpread = ({ median, low, high }: Spread): string => `${ms(median)} (${ms(low)}-${ms(high)})`;
const times = ({ median, low, high }: Spread): string => `${median.toFixed(2)}x (${low.toFixed(2)}-${high.toFixed(2)})`;

const at = <T extends Timing>(timings: readonly T[], batch: number): T | undefined =>
  timings.find((timing) => timing.batch === batch);

/** All timings at one batch size, without the sweeps. */
function batchTable(record: ProfileRecord, batch: number): string {
  const { baseline } = record;
  const chosen = record.points.filter((point) => point.kind === "chosen");
  const networks: readonly (readonly [string, ProfiledNetwork])[] = [
    ["static", record.static],
    ...(baseline ? [[`baseline ${baseline.name}`, baseline] as const] : []),
  ];
  const columns = [
    left(""),
    ...right("accuracy", "MACs", "ms/image", "speed-up"),
    ...(baseline ? right("vs baseline") : []),
    ...right("time/MACs", "p50 ms", "p95", "p99"),
  ];
  const latency = (timing: Timing | undefined): string[] =>
    (["p50", "p95", "p99"] as const).map((p) => (timing?.latencyMs ? ms(timing.latencyMs[p]) : "-"));
  const networkRow = ([name, { accuracy, macs, timings }]: (typeof networks)[number]): string[] => {
    const timing = at(timings, batch) as Timing;
    const blank = baseline ? ["", "", ""] : ["", ""];
    return [name, showRate(accuracy), showCount(macs), msSpread(timing.msPerImage), ...blank, ...latency(timing)];
  };
  const pointRow = ({ name, accuracy, meanMacs, timings }: ProfiledPoint): string[] => {
    const timing = at(timings, batch) as Saving;
    const { msPerImage, speedUp, baselineSpeedUp, overhead } = timing;
    const versus = baselineSpeedUp ? [times(baselineSpeedUp)] : [];
    const cost = [showCount(meanMacs), msSpread(msPerImage)];
    return [
      pointWords(name),
      showRate(accuracy),
      ...cost,
      times(speedUp),
      ...versus,
      overhead.toFixed(2),
      ...latency(timing),
    ];
  };
  return heading(`Batch ${batch}`) + table(columns, [...networks.map(networkRow), ...chosen.map(pointRow)]);
}

/** The number of images that stop at each exit, at each chosen point. */
function exitTable({ points, model, data }: ProfileRecord): string {
  const chosen = points.filter((point) => point.kind === "chosen");
  if (chosen.length === 0) return "";
  return (
    heading("Images that stop at each exit") +
    table(
      [left(""), left("rule"), ...right("threshold", ...model.exits.map((exit) => exit.name))],
      chosen.map((point) => [
        pointWords(point.name),
        point.rule,
        `${showThresholds(point)}${showGateRule(point)}`,
        ...point.exitCounts.map((count) => percent(count / data.samples)),
      ]),
    )
  );
}

function sweepTable({ points, baseline, batches }: ProfileRecord): string {
  const sweep = points.filter((point) => point.kind === "sweep");
  if (sweep.length === 0) return "";
  const columns = right("accuracy", "MACs", "ms/image", "speed-up", ...(baseline ? ["vs baseline"] : []), "time/MACs");
  return (
    heading(`Sweep of each rule, batch ${batches.at(-1)}`) +
    table(
      [left("rule"), ...right("threshold"), ...columns],
      sweep.map((point) => {
        const { rule, accuracy, meanMacs, timings } = point;
        const { msPerImage, speedUp, baselineSpeedUp, overhead } = timings[0];
        const versus = baselineSpeedUp ? [times(baselineSpeedUp)] : [];
        const cost = [showCount(meanMacs), msSpread(msPerImage)];
        return [
          rule,
          `${showThresholds(point)}${showGateRule(point)}`,
          showRate(accuracy),
          ...cost,
          times(speedUp),
          ...versus,
          overhead.toFixed(2),
        ];
      }),
    )
  );
}

const note = ({ points, rounds }: ProfileRecord): string =>
  `\nAccuracy with 95 % Wilson intervals; times are the median of ${counted(rounds, "round")} (lowest-highest).
Latency: the time of a batch that runs alone.${points.length === 0 ? "" : SAVINGS}\n`;

const SAVINGS = ` Speed-up: over the static network in the same round.\ntime/MACs: share of time divided by share of MACs; 1.00 when time is saved in proportion to MACs.\n${POINT_NOTES}`;
