/** @file Chooses adversarial images for the report. The best ones change a right and confident
 *  answer into a wrong (or slow) and confident one. */
import type { Sample } from "../../attacks/sample.js";
import type { Logits } from "../../core/logits.js";
import { argmax, softmaxRow } from "../../dynamic/route/policy.js";
import type { Routed } from "../../dynamic/route/route.js";
import { norms } from "../../measures/norms.js";
import type { ExitView, GalleryItem } from "../../schema/audit-record.js";
import { verdicts } from "./attack-step.js";
import type { Attacked } from "./attacked.js";
import type { AuditedModel } from "./audited-model.js";

/** At most `count` images of one attack, the most surprising first. Only images that still succeed
 * after rounding to 8 bits. */
export function pickGallery(attacked: Attacked, audited: AuditedModel, count: number): GalleryItem[] {
  const { model } = audited.victim;
  const [channels] = [model.input.shape[1]];
  if (channels !== 1 && channels !== 3) return [];
  const success = verdicts(attacked.samples, attacked.roundedLogits, attacked.attack.goal.succeeded);
  const telling = attacked.samples
    .map((sample, i) => ({
      i,
      score:
        success[i] && attacked.outcomes[i]?.eligible
          ? surprise(sample, i, attacked, audited)
          : Number.NEGATIVE_INFINITY,
    }))
    .filter((t) => t.score > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.score - a.score || a.i - b.i);
  return telling.slice(0, count).map(({ i }) => itemOf(i, attacked, audited, channels));
}

/** How surprising a success is: the confidence before plus the confidence after, at the exit that
 * the goal names. A clean answer that was right ranks higher. */
function surprise(sample: Sample, i: number, attacked: Attacked, audited: AuditedModel): number {
  const { answer } = attacked.attack.goal;
  const at = (logits: Logits, routed: readonly Routed[]) =>
    logits.row(answer === "routed" ? routed[i].answer : answer, i);
  const [before, after] = [at(audited.logits, audited.routed), at(attacked.logits, attacked.routed)];
  const sure = (row: Float32Array) => Math.max(...softmaxRow(row));
  return sure(before) + sure(after) + (argmax(before) === sample.label ? 1 : 0);
}

function itemOf(i: number, attacked: Attacked, audited: AuditedModel, channels: 1 | 3): GalleryItem {
  const { model } = audited.victim;
  const sample = attacked.samples[i];
  const [height, width] = [model.input.shape[2] as number, model.input.shape[3] as number];
  const each = sample.pixels.length;
  const image = attacked.rounded.row(i);
  const { l2, linf } = norms(sample.pixels, image);
  const magnification = Math.max(1, Math.floor(127 / Math.max(1, linf * 255)));
  const interleave = (byte: (k: number) => number) => interleaved(each, channels, byte);
  return {
    attack: attacked.attack.name,
    sample: sample.id,
    label: sample.label,
    width,
    height,
    channels,
    original: interleave((k) => Math.round(sample.pixels[k] * 255)),
    adversarial: interleave((k) => Math.round(image[k] * 255)),
    difference: interleave((k) => 128 + Math.round((image[k] - sample.pixels[k]) * 255) * magnification),
    magnification,
    l2,
    linf,
    clean: viewOf(audited.logits, audited.routed, i),
    attacked: viewOf(attacked.logits, attacked.routed, i),
  };
}

/** Converts planes to interleaved pixels. */
function interleaved(length: number, channels: number, byte: (k: number) => number): Uint8Array {
  const out = new Uint8ClampedArray(length);
  const plane = length / channels;
  for (let k = 0; k < length; k++) out[(k % plane) * channels + Math.floor(k / plane)] = byte(k);
  return new Uint8Array(out.buffer);
}

function viewOf(logits: Logits, routed: readonly Routed[], i: number): ExitView {
  const rows = logits.rows(i);
  const r = routed[i];
  return {
    labels: rows.map(argmax),
    confidences: rows.map((row) => Math.max(...softmaxRow(row))),
    stop: r.stop,
    answer: r.label,
  };
}
