/** @file Effects with one number per block: differences, log ratios and slopes. All give the names
 *  of their columns, and the number of a block from the columns' means. */
import type { EstimateForm } from "../../../schema/study/claims.js";
import { type BlockTable, columnOf, constantOf } from "./table.js";

/** An effect with one number per block. */
export type BlockForm = Exclude<EstimateForm, { kind: "regression" }>;

/** The number of a block from the means of the form's columns, in the order of `columnsOf`. */
export type BlockValue = (means: ArrayLike<number>) => number;

/** The columns that the form reads. */
export function columnsOf(form: BlockForm): readonly string[] {
  if (form.kind === "difference") return [form.of, form.minus];
  if (form.kind === "log-ratio") return [form.of.gain, form.of.cost, form.to.gain, form.to.cost];
  return form.columns;
}

/** The tables of all blocks, and how the number of each follows from its means.
 * @throws DynnError `claims/data` for tables that do not fit the form */
export function formulasOf(
  form: BlockForm,
  blocks: readonly BlockTable[],
): { tables: Columns[]; formulas: BlockValue[] } {
  const tables = blocks.map((block) => columnsOf(form).map((name) => columnOf(block, name)));
  return { tables, formulas: blocks.map((block, i) => blockValue(form, block, tables[i][0].length)) };
}

type Columns = ArrayLike<number>[];

/** How a block's number follows from its means.
 * @param rows number of the block's samples */
export function blockValue(form: BlockForm, block: BlockTable, rows: number): BlockValue {
  if (form.kind === "difference") return (means) => means[0] - means[1];
  if (form.kind === "slope") return slopeOn(form.columns.map((name) => constantOf(block, name)));
  // The logarithm needs a gain above 0: no success at all counts as half a sample.
  const gain = (mean: number): number => Math.max(mean, 0.5 / rows);
  return (means) => Math.log((gain(means[0]) * means[3]) / (means[1] * gain(means[2])));
}

/** Slope of least squares of the means on `places`. */
function slopeOn(places: readonly number[]): BlockValue {
  const mean = places.reduce((a, b) => a + b, 0) / places.length;
  const squares = places.reduce((sum, place) => sum + (place - mean) ** 2, 0);
  return (means) => places.reduce((sum, place, i) => sum + ((place - mean) / squares) * means[i], 0);
}
