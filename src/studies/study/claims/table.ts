/** @file The numbers that a claim is judged by: one table per block, one row per sample. */

import { DynnError } from "../../../core/errors.js";
import { counted } from "../../../core/units.js";
import type { Check } from "../../../schema/study/claims.js";

/** The samples of one block under all conditions. */
export interface BlockTable {
  readonly id: string;
  /** Architecture and data set. Blocks of one cell differ by their seed only. */
  readonly cell: string;
  /** Columns of equal length. Row i is the same sample in every column. */
  readonly columns: Readonly<Record<string, ArrayLike<number>>>;
  /** Numbers of the block, for slopes: where each column stands. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Names of the block, for regressions: its architecture. */
  readonly factors?: Readonly<Record<string, string>>;
}

/** What a claim is judged by. */
export interface ClaimData {
  readonly blocks: readonly BlockTable[];
  /** Results of the assay checks. One that the plan names and that is not here has failed. */
  readonly checks?: readonly Check[];
}

/** A column of a block.
 * @throws DynnError `claims/data` where it is missing, empty, of another length or not finite */
export function columnOf(block: BlockTable, name: string): ArrayLike<number> {
  const column = block.columns[name];
  if (column === undefined)
    throw dataError(block, `column "${name}" is missing`, Object.keys(block.columns).join(", "), name);
  const rows = Math.max(...Object.values(block.columns).map(({ length }) => length));
  if (column.length === 0 || column.length !== rows)
    throw dataError(
      block,
      `column "${name}" has another length`,
      counted(column.length, "row"),
      `${rows || "at least 1"}`,
    );
  for (let i = 0; i < column.length; i++)
    if (!Number.isFinite(column[i]))
      throw dataError(block, `column "${name}" has no number in row ${i}`, `${column[i]}`, "a finite number");
  return column;
}

/** A constant of a block.
 * @throws DynnError `claims/data` where it is missing */
export function constantOf(block: BlockTable, name: string): number {
  const constant = block.constants?.[name];
  if (constant === undefined)
    throw dataError(block, `constant "${name}" is missing`, Object.keys(block.constants ?? {}).join(", "), name);
  return constant;
}

/** A factor of a block.
 * @throws DynnError `claims/data` where it is missing */
export function factorOf(block: BlockTable, name: string): string {
  const factor = block.factors?.[name];
  if (factor === undefined)
    throw dataError(block, `factor "${name}" is missing`, Object.keys(block.factors ?? {}).join(", "), name);
  return factor;
}

const dataError = (block: BlockTable, wrong: string, got: string, expected: string): DynnError =>
  new DynnError("claims/data", `block ${block.id}: ${wrong}. Got ${got || "none"}, expected ${expected}.`, {
    block: block.id,
    got,
    expected,
  });
