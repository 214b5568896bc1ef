/** @file Summarises a run of `dynn classify`: who answered, what was sent, how long it took, how
 *  many answers were right. */
import type { PlacedAnswer } from "../../deploy/device/device.js";
import { estimateLink, type LinkSpeed } from "../../deploy/link.js";
import type { Wire } from "../../deploy/wire-values.js";
import { accuracy } from "../../measures/accuracy.js";
import { type Percentiles, percentiles } from "../../measures/percentile.js";
import type { Rate } from "../../schema/numbers.js";

/** All images with one wire format. */
export interface Run {
  /** Null when nothing is sent. */
  readonly wire: Wire | null;
  readonly answers: readonly PlacedAnswer[];
}

export interface LinkSummary {
  readonly way: "device only" | "split" | "send the image";
  readonly bytesPerImage: number;
  readonly meanMs: number;
  readonly ms: Percentiles;
  readonly accuracy: Rate | null;
}

export interface Summary {
  readonly wire: Wire | null;
  /** Images answered by each place. */
  readonly device: number;
  readonly server: number;
  readonly fallback: number;
  /** Bytes sent for all images together. */
  readonly bytes: number;
  readonly latencyMs: Percentiles;
  readonly accuracy: Rate | null;
  readonly link: readonly LinkSummary[] | null;
}

export interface SummaryOptions {
  /** True classes, when they are known. */
  readonly labels: Int32Array | undefined;
  readonly link: LinkSpeed | undefined;
  /** Bytes of one image as it would be sent: 8 bits per pixel and channel. */
  readonly imageBytes: number;
}

export function summarize({ wire, answers }: Run, options: SummaryOptions): Summary {
  const by = (place: PlacedAnswer["place"]) => answers.filter((answer) => answer.place === place).length;
  return {
    wire,
    device: by("device"),
    server: by("server"),
    fallback: by("fallback"),
    bytes: sum(answers.map(({ bytes }) => bytes)),
    latencyMs: percentiles(answers.map(({ ms }) => ms)),
    accuracy: rate(answers, options),
    link: options.link ? linkSummaries(answers, options.link, options) : null,
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const rate = (answers: readonly { readonly label: number }[], { labels }: SummaryOptions): Rate | null =>
  labels
    ? accuracy(
        labels,
        answers.map(({ label }) => label),
      )
    : null;

/** An image that is sent whole gets the answer of the split in float32. */
function linkSummaries(answers: readonly PlacedAnswer[], link: LinkSpeed, options: SummaryOptions): LinkSummary[] {
  const { deviceOnly, split, sendImage } = estimateLink(answers, { link, imageBytes: options.imageBytes });
  const bytes = sum(answers.map((answer) => answer.bytes)) / answers.length;
  const own = rate(answers, options);
  const locals = answers.map(({ local }) => local);
  const times = (ms: readonly number[]) => ({ meanMs: sum(ms) / ms.length, ms: percentiles(ms) });
  return [
    { way: "device only", bytesPerImage: 0, ...times(deviceOnly), accuracy: rate(locals, options) },
    { way: "split", bytesPerImage: bytes, ...times(split), accuracy: own },
    { way: "send the image", bytesPerImage: options.imageBytes, ...times(sendImage), accuracy: own },
  ];
}
