/** @file Writes rows as a Parquet file, which DuckDB, pandas and Polars read. */
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { SampleRow } from "../schema/sample-row.js";
import { replaceFile } from "./output-files.js";

/** The type of each column. */
const TYPES = {
  attack: "STRING",
  sample: "INT32",
  label: "INT32",
  cleanLabel: "INT32",
  exit: "INT32",
  answer: "INT32",
  confidence: "DOUBLE",
  eligible: "BOOLEAN",
  success: "BOOLEAN",
  linf: "DOUBLE",
  l2: "DOUBLE",
  queries: "INT32",
  gradients: "INT32",
  forwardMacs: "DOUBLE",
  backwardMacs: "DOUBLE",
  ms: "DOUBLE",
} as const satisfies Record<keyof SampleRow, ColumnSource["type"]>;

/** Writes one row per sample and attack. The file appears whole or not at all.
 * @throws DynnError 'file/unwritable', 'file/full' */
export async function writeRows(path: string, rows: readonly SampleRow[]): Promise<void> {
  const columnData = Object.entries(TYPES).map(([name, type]) => ({
    ...{ name, type },
    data: rows.map((row) => row[name as keyof SampleRow]),
  }));
  await replaceFile(path, new Uint8Array(parquetWriteBuffer({ columnData })));
}
