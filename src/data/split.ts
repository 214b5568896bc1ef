/** @file Splits data into the reported records and the validation records, on which thresholds are
 *  chosen. No image is in both. Source: docs/method.md section 2. */

import { DynnError } from "../core/errors.js";
import { permutation } from "../core/rng.js";
import { counted } from "../core/units.js";
import { SeenImages } from "./apart.js";
import { type Dataset, first, subset, withNotes } from "./dataset.js";

/** Smallest number of validation records for the choice of a threshold. */
export const MIN_VALIDATION = 50;

/** Numbers of reported and of validation records. */
export interface ValidationOptions {
  /** Number of reported records: 0..reported-1 in file order. */
  readonly reported: number;
  /** Number of validation records to draw. Fewer are drawn when fewer are left. */
  readonly validation: number;
  /** The seed of the draw. */
  readonly seed: number;
}

/** Cuts a dataset into the reported records and validation records, which are drawn from all
 * others.
 * @throws DynnError 'policy/validation' when fewer than {@link MIN_VALIDATION} records are left */
export function splitValidation(
  dataset: Dataset,
  options: ValidationOptions,
): { reported: Dataset; validation: Dataset } {
  const reported = Math.min(options.reported, dataset.count);
  const left = dataset.count - reported;
  if (left < MIN_VALIDATION)
    throw new DynnError(
      "policy/validation",
      `${dataset.name}: ${reported} of ${counted(dataset.count, "record is", "records are")} reported, which leaves ${left} to choose thresholds on, expected at least ${MIN_VALIDATION}. ${dataset.count > MIN_VALIDATION ? `Report at most ${counted(dataset.count - MIN_VALIDATION, "record")}` : "Give other data to choose them on"}, or give the thresholds.`,
      {
        reported,
        count: dataset.count,
        left,
        least: MIN_VALIDATION,
        options: [dataset.count > MIN_VALIDATION ? "samples" : "validation", "threshold"],
      },
    );
  const order = permutation({ seed: options.seed, sample: 0, purpose: "split", step: 0 }, left);
  const drawn = order.subarray(0, options.validation).map((index) => index + reported);
  return {
    reported: subset(
      dataset,
      Array.from({ length: reported }, (_, index) => index),
    ),
    validation: subset(dataset, drawn, { name: `${dataset.name}#validation` }),
  };
}

/** Default number of reported records. */
const DEFAULT_REPORTED = 1000;

/** Options of {@link splitReported}. */
export interface ReportRequest {
  /** Number of reported records. The default depends on the data. */
  readonly samples?: number | undefined;
  /** Validation data. The default is records of the data that are not reported. */
  readonly validation?: Dataset | undefined;
  /** Number of validation records. */
  readonly validationSamples: number;
  /** The seed of the draw of validation records. */
  readonly seed: number;
}

export interface ReportSplit {
  readonly reported: Dataset;
  readonly validation: Dataset;
}

/** The reported records when no thresholds are chosen. A note says when there are fewer than asked
 * for. */
export function reportedOf(data: Dataset, samples?: number): Dataset {
  const reported = first(data, samples ?? DEFAULT_REPORTED);
  if (samples === undefined || samples <= data.count) return reported;
  return withNotes(reported, [
    `${data.name}: ${samples} samples were asked for, and it has ${data.count}; all are used`,
  ]);
}

/** Cuts data into the reported records and the validation records. No image is in both, even if the
 * data have two names or hold an image twice.
 * @throws DynnError 'policy/validation' when too few validation records are left */
export async function splitReported(data: Dataset, request: ReportRequest): Promise<ReportSplit> {
  const { samples, validation, validationSamples, seed } = request;
  if (validation) {
    const reported = reportedOf(data, samples);
    const candidates = first(validation, validationSamples + reported.count);
    return keepApart({ reported, candidates, wanted: validationSamples }, validation.name, ", or leave these out");
  }
  const most = Math.max(1, Math.min(DEFAULT_REPORTED, Math.floor(data.count / 2), data.count - MIN_VALIDATION));
  const split = splitValidation(data, { reported: samples ?? most, validation: validationSamples, seed });
  const parts = { reported: split.reported, candidates: split.validation, wanted: validationSamples };
  return keepApart(parts, data.name, "");
}

/** The candidates that are not reported.
 * @throws DynnError 'policy/validation' when too few records are left */
async function keepApart(
  { reported, candidates, wanted }: Readonly<{ reported: Dataset; candidates: Dataset; wanted: number }>,
  where: string,
  remedy: string,
): Promise<ReportSplit> {
  const seen = new SeenImages();
  await seen.add(reported);
  const fresh = (await seen.unseen(candidates)).slice(0, wanted);
  if (fresh.length >= MIN_VALIDATION) return { reported, validation: subset(candidates, fresh) };
  throw new DynnError(
    "policy/validation",
    `${where}: ${fresh.length} of its images are not among those reported, expected at least ${MIN_VALIDATION} to choose thresholds on. Name other data${remedy} and report fewer records.`,
    { name: where, fresh: fresh.length, options: ["validation", "samples"] },
  );
}

/** Checks that no validation record is reported.
 * @throws DynnError 'policy/validation' with the number of images that are in both */
export async function checkApart(reported: Dataset, validation: Dataset): Promise<void> {
  const seen = new SeenImages();
  await seen.add(reported);
  const shared = validation.count - (await seen.unseen(validation)).length;
  if (shared === 0) return;
  throw new DynnError(
    "policy/validation",
    `${validation.name}: ${shared} of its ${counted(validation.count, "image is", "images are")} among those reported. Choose thresholds on images that are not reported; splitReported cuts data in this way.`,
    { name: validation.name, shared },
  );
}
