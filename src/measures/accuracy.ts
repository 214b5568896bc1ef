/** @file The share of answers that equal the true label, with its interval. */
import { counted } from "../core/units.js";
import type { Rate } from "../schema/numbers.js";
import { wilson } from "./wilson.js";

/** Accuracy of one answer per sample.
 * @param labels  true class per sample
 * @param answers answered class per sample, as long as `labels` */
export function accuracy(labels: ArrayLike<number>, answers: ArrayLike<number>): Rate {
  if (labels.length !== answers.length)
    throw new Error(`bug: ${counted(answers.length, "answer")} for ${counted(labels.length, "label")}`);
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === answers[i]) right++;
  return wilson(right, labels.length);
}
