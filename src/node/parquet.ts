/** @file Writes the rows of an audit as a Parquet file. */
import { writeParquet } from "../data/parquet.js";
import type { Columns } from "../schema/columns.js";
import type { GatedSampleRow, SampleRow } from "../schema/sample-row.js";
import { replaceFile } from "./output-files.js";

const COLUMNS: Columns<SampleRow> = {
  attack: ["STRING", "name of the attack"],
  seed: ["INT32", "seed of the attack"],
  sample: ["INT32", "record number in the data set"],
  label: ["INT32", "true class"],
  cleanLabel: ["INT32", "label of the judged answer when clean"],
  exit: ["INT32", "exit where the attacked image stops"],
  answer: ["INT32", "label of the routed answer for the attacked image"],
  confidence: ["DOUBLE", "largest softmax probability of the answering exit"],
  eligible: ["BOOLEAN", "false when the clean image met the goal already"],
  success: ["BOOLEAN", "whether the attacked image meets the goal"],
  linf: ["DOUBLE", "largest change in pixel units"],
  l2: ["DOUBLE", "Euclidean norm of the change in pixel units"],
  queries: ["INT32", "images that the network evaluated"],
  gradients: ["INT32", "gradients among them"],
  forwardMacs: ["DOUBLE", "multiply-accumulates of the forward passes"],
  backwardMacs: ["DOUBLE", "multiply-accumulates of the backward passes"],
  ms: ["DOUBLE", "share of the wall time of the attack, by multiply-accumulates"],
};

/** What networks with gates have besides. Files of other networks lack these columns. */
const GATED_COLUMNS: Columns<GatedSampleRow> = {
  ...COLUMNS,
  cleanGates: ["STRING", "bits of the gates on the clean image: 1 open, 0 closed, - behind the exit taken"],
  cleanCostFraction: ["DOUBLE", "cost of the clean image, as a share of the full cost"],
  gates: ["STRING", "bits of the gates on the attacked image"],
  costFraction: ["DOUBLE", "cost of the attacked image, as a share of the full cost"],
};

const isGated = (row: SampleRow): row is GatedSampleRow => "gates" in row;

/** Writes one row per sample and attack. The file appears whole or not at all.
 * @throws DynnError 'file/unwritable', 'file/full' */
export const writeRows = (path: string, rows: readonly SampleRow[]): Promise<void> =>
  replaceFile(
    path,
    rows.length > 0 && rows.every(isGated) ? writeParquet(rows, GATED_COLUMNS) : writeParquet(rows, COLUMNS),
  );
