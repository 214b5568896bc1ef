/** @file The records that are reported and the records that thresholds are chosen on. No image is in both.
 *  Source: docs/method.md, section 2. */
import { DynnError } from "../core/errors.js";
import { permutation } from "../core/rng.js";
import { SeenImages } from "./apart.js";
import { type Dataset, first, subset } from "./dataset.js";

/** Fewer validation records than this cannot fix a threshold. */
export const MIN_VALIDATION = 50;

/** How many records are reported and drawn. */
export interface ValidationOptions {
  /** Records to report on: 0..reported-1 in file order. */
  readonly reported: number;
  /** Records to choose thresholds on; fewer are drawn when fewer are left. */
  readonly validation: number;
  /** The draw follows from it. */
  readonly seed: number;
}

/** Cut a dataset in the records that are reported and records, drawn from all others, to choose thresholds on.
 * @throws DynnError 'policy/validation' when fewer than {@link MIN_VALIDATION} records are not reported
 */
export function splitValidation(
  dataset: Dataset,
  options: ValidationOptions,
): { reported: Dataset; validation: Dataset } {
  const reported = Math.min(options.reported, dataset.count);
  const left = dataset.count - reported;
  if (left < MIN_VALIDATION)
    throw new DynnError(
      "policy/validation",
      `${dataset.name}: ${reported} of ${dataset.count} records are reported, which leaves ${left} to choose thresholds on, expected at least ${MIN_VALIDATION}. Report at most ${Math.max(0, dataset.count - MIN_VALIDATION)} records, or give the thresholds.`,
      { reported, count: dataset.count, left, least: MIN_VALIDATION },
    );
  const order = permutation({ seed: options.seed, sample: 0, purpose: "split", step: 0 }, left);
  const drawn = order.subarray(0, options.validation).map((index) => index + reported);
  return {
    reported: subset(
      dataset,
      Array.from({ length: reported }, (_, index) => index),
    ),
    validation: subset(dataset, drawn, `${dataset.name}#validation`),
  };
}

/** Reported where nothing is said. */
const DEFAULT_REPORTED = 1000;

/** Which records are reported, and which thresholds are chosen on. */
export interface ReportRequest {
  /** How many records to report; left out: as many as suit. */
  readonly samples?: number | undefined;
  /** Data to choose thresholds on; left out: records of the data that are not reported. */
  readonly validation?: Dataset | undefined;
  /** How many of them. */
  readonly validationSamples: number;
  /** The draw of validation records follows from it. */
  readonly seed: number;
}

export interface ReportSplit {
  readonly reported: Dataset;
  readonly validation: Dataset;
}

/** The records to report where no thresholds are chosen. */
export const reportedOf = (data: Dataset, samples = DEFAULT_REPORTED): Dataset => first(data, samples);

/** Cut data in the records to report and the records to choose thresholds on. No image is in both, whatever the data are
 *  called and however often it is among them.
 * @throws DynnError 'policy/validation' when too few records are left to choose thresholds on */
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

/** Those of the candidates that are not reported.
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

/** Refuse validation records that are reported as well.
 * @throws DynnError 'policy/validation' naming how many images are in both */
export async function checkApart(reported: Dataset, validation: Dataset): Promise<void> {
  const seen = new SeenImages();
  await seen.add(reported);
  const shared = validation.count - (await seen.unseen(validation)).length;
  if (shared === 0) return;
  throw new DynnError(
    "policy/validation",
    `${validation.name}: ${shared} of its ${validation.count} images are among those reported. Choose thresholds on images that are not reported; splitReported cuts data so.`,
    { name: validation.name, shared },
  );
}
