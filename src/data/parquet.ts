/** @file Tables as Parquet files, which DuckDB, pandas and Polars read. A table has one array for
 *  each column. Source: Apache Parquet format. */
import { parquetReadObjects } from "hyparquet";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { DynnError, reasonOf } from "../core/errors.js";
import type { Columns } from "../schema/columns.js";

/** Writes rows as a Parquet file. The same rows give the same bytes.
 * @example writeParquet([{ sample: 3 }], { sample: ["INT32", "record number"] }) */
export function writeParquet<Row extends object>(rows: readonly Row[], columns: Columns<Row>): Uint8Array {
  const columnData = (Object.keys(columns) as (keyof Row & string)[]).map((name): ColumnSource => {
    const [type] = columns[name];
    const nullable = type.startsWith("nullable ");
    return {
      ...{ name, nullable, type: type.replace("nullable ", "") as "DOUBLE" },
      data: rows.map((row) => row[name]),
    };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Reads the rows of a Parquet file that {@link writeParquet} wrote.
 * @param where the file's name in errors
 * @throws DynnError 'data/format' when the bytes are no Parquet file, or a column is missing */
export async function readParquet<Row extends object>(
  bytes: Uint8Array,
  columns: Columns<Row>,
  where: string,
): Promise<Row[]> {
  try {
    const file = bytes.slice().buffer;
    const rows = await parquetReadObjects({ file, columns: Object.keys(columns) });
    return rows as Row[];
  } catch (cause) {
    throw new DynnError(
      "data/format",
      `${where}: is not a Parquet file with the columns ${Object.keys(columns).join(", ")} (${reasonOf(cause)}). Make it again.`,
      { where },
      { cause },
    );
  }
}
