/** @file Prints the results of `dynn classify`: an answer per image, who answered, and the bytes
 *  and times of the wire. */
import { counted, showCount } from "../../core/units.js";
import type { PlacedAnswer } from "../../deploy/device/device.js";
import type { ExitAnswer } from "../../dynamic/route/exit-answers.js";
import type { Percentiles } from "../../measures/percentile.js";
import { chanceWarnings } from "../../studies/chance.js";
import { exitAnswersTable } from "../shared/exit-answers.js";
import { heading, notesAndWarnings, percent, showRate, table } from "../shared/table.js";
import type { ClassifierSource } from "./classifier.js";
import type { NamedImages } from "./images.js";
import type { Run, Summary } from "./summary.js";

/** The most rows that are printed. Longer lists need --json. */
const MOST_ROWS = 20;

export function classifyTables(
  source: ClassifierSource,
  images: NamedImages,
  runs: readonly Run[],
  summaries: readonly Summary[],
  link: string | undefined,
): string {
  const [first] = runs as [Run];
  const [summary] = summaries as [Summary];
  return [
    heading(`${source.name}, ${counted(images.names.length, "image")}: ${images.from}`),
    `${source.where}\n${notesAndWarnings(images.notes, warningsOf(source, images, summary))}\n`,
    answersTable(source, images, first.answers),
    heading("Answered"),
    answered(summary, first.answers),
    runs.length > 1 ? wireTable(runs, summaries) : "",
    link === undefined ? "" : linkTable(summaries, link),
  ].join("");
}

/** Reasons to doubt the accuracy. */
export const warningsOf = (
  source: ClassifierSource,
  { data }: NamedImages,
  { accuracy }: Summary,
): string[] | undefined =>
  data && accuracy
    ? chanceWarnings({ ...source, classNames: source.classNames ?? undefined }, data, accuracy)
    : undefined;

function answersTable(
  { exits, classNames }: ClassifierSource,
  { names, labels }: NamedImages,
  answers: readonly PlacedAnswer[],
): string {
  const className = (label: number) => classNames?.[label] ?? String(label);
  const rows = answers
    .slice(0, MOST_ROWS)
    .map(({ label, confidence, answer, place }, i) => [
      names[i],
      className(label),
      ...(labels ? [className(labels[i])] : []),
      confidence.toFixed(3),
      exits[answer],
      place,
    ]);
  const columns = [
    { head: "image", align: "left" as const },
    { head: "label", align: "left" as const },
    ...(labels ? [{ head: "true", align: "left" as const }] : []),
    { head: "confidence" },
    { head: "exit", align: "left" as const },
    { head: "where", align: "left" as const },
  ];
  const more = answers.length - rows.length;
  return table(columns, rows) + (more > 0 ? `and ${more} more; --json FILE writes them all\n` : "");
}

function answered(summary: Summary, answers: readonly PlacedAnswer[]): string {
  const share = (count: number) => `${count} of ${answers.length} (${percent(count / answers.length)})`;
  const outage = answers.find(({ place }) => place === "fallback");
  return [
    `on the device: ${share(summary.device)}\n`,
    summary.wire === null ? "" : `by the server: ${share(summary.server)}\n`,
    outage
      ? `server not reached, answered by the device's most confident exit: ${share(summary.fallback)}; ${outage.reason}\n`
      : "",
    summary.wire === null ? "" : sent(summary, answers),
    summary.accuracy ? `right: ${showRate(summary.accuracy)}\n` : "",
    `time per image, as measured: ${showTimes(summary.latencyMs)}\n`,
  ].join("");
}

function sent({ bytes, wire }: Summary, answers: readonly PlacedAnswer[]): string {
  const images = answers.filter((answer) => answer.bytes > 0).length;
  return images === 0
    ? "sent: nothing\n"
    : `sent: ${showCount(bytes)} bytes in ${wire}, ${showCount(bytes / images)} for each image that was sent\n`;
}

const showTimes = ({ p50, p95, p99 }: Percentiles): string =>
  `p50 ${showMs(p50)}, p95 ${showMs(p95)}, p99 ${showMs(p99)}`;
const showMs = (ms: number): string => `${ms.toPrecision(3)} ms`;

/** Each wire format, compared with the first. */
function wireTable(runs: readonly Run[], summaries: readonly Summary[]): string {
  const reference = runs[0].answers;
  const rows = summaries.map(({ wire, bytes, accuracy, latencyMs }, k) => {
    const { answers } = runs[k];
    const sent = answers.filter((answer) => answer.bytes > 0).length;
    const same = answers.filter(({ label, stop }, i) => label === reference[i]?.label && stop === reference[i]?.stop);
    return [
      wire as string,
      showCount(bytes),
      sent > 0 ? showCount(bytes / sent) : "0",
      percent(same.length / answers.length),
      accuracy ? showRate(accuracy) : "unknown",
      showMs(latencyMs.p50),
    ];
  });
  const columns = [
    { head: "wire", align: "left" as const },
    { head: "bytes sent" },
    { head: "per image sent" },
    { head: `same as ${summaries[0]?.wire}` },
    { head: "right" },
    { head: "p50" },
  ];
  return heading("Over the wire") + table(columns, rows);
}

/** The split with each wire format, between the way that sends nothing and the way that sends
 * everything. */
function linkTable(summaries: readonly Summary[], speed: string): string {
  const first = summaries[0]?.link ?? [];
  const splits = summaries.flatMap(({ wire, link }) =>
    (link ?? []).filter(({ way }) => way === "split").map((of) => ({ ...of, name: `split, ${wire}` })),
  );
  const others = first.filter(({ way }) => way !== "split").map((of) => ({ ...of, name: of.way }));
  const rows = [...others.slice(0, 1), ...splits, ...others.slice(1)].map((of) => [
    of.name,
    showCount(of.bytesPerImage),
    showMs(of.meanMs),
    showMs(of.ms.p50),
    showMs(of.ms.p95),
    showMs(of.ms.p99),
    of.accuracy ? showRate(of.accuracy) : "unknown",
  ]);
  const columns = [
    { head: "way", align: "left" as const },
    { head: "bytes per image" },
    { head: "mean" },
    { head: "p50" },
    { head: "p95" },
    { head: "p99" },
    { head: "right" },
  ];
  return [
    heading(`Estimated over ${speed}`),
    table(columns, rows),
    "computing times as measured here, for both sides; transfer time = round trip + bytes / rate; images as 8-bit pixels\n",
    summaries.some(({ fallback }) => fallback > 0)
      ? "images that the server did not answer count as answered by the device alone\n"
      : "",
  ].join("");
}

/** The most images whose exits are shown. */
const MOST_EXITS = 5;

/** What every exit answers, image by image. */
export function exitsText(names: readonly string[], shown: readonly (readonly ExitAnswer[])[]): string {
  const parts = shown
    .slice(0, MOST_EXITS)
    .map((answers, i) => heading(`Every exit: ${names[i]}`) + exitAnswersTable(answers));
  const more = shown.length - parts.length;
  return parts.join("") + (more > 0 ? `and ${more} more; --json FILE writes them all\n` : "");
}
