/** @file Tables as Parquet files, which DuckDB, pandas and Polars read. A table has one array for
 *  each column. Source: Apache Parquet format. */
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import { DynnError, reasonOf } from "../core/errors.js";
import type { Columns } from "../schema/columns.js";

/** Writes a Parquet file in steps, so that not all rows are in memory at a time.
 * @example
 * const writer = new TableWriter({ sample: ["INT32", "record number"] });
 * writer.add([{ sample: 3 }]);
 * const bytes = writer.finish(); */
export class TableWriter<Row extends object> {
  readonly #columns: Columns<Row>;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;

  constructor(columns: Columns<Row>) {
    this.#columns = columns;
    const schema = schemaFromColumnData({ columnData: namesOf(columns).map((name) => typed(name, columns)) });
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema });
  }

  /** Appends rows as row groups of their own. */
  add(rows: readonly Row[]): void {
    const columnData = namesOf(this.#columns).map((name) => ({ name, data: rows.map((row) => row[name]) }));
    if (rows.length > 0) void this.#writer.write({ columnData });
  }

  /** @returns the bytes of the file */
  finish(): Uint8Array {
    void this.#writer.finish();
    return this.#bytes.getBytes().slice();
  }
}

const namesOf = <Row extends object>(columns: Columns<Row>): (keyof Row & string)[] =>
  Object.keys(columns) as (keyof Row & string)[];

/** A column without values, for its type. */
function typed<Row extends object>(name: keyof Row & string, columns: Columns<Row>): ColumnSource {
  const [type] = columns[name];
  return {
    ...{ name, nullable: type.startsWith("nullable "), data: [] },
    type: type.replace("nullable ", "") as "DOUBLE",
  };
}

/** Writes rows as a Parquet file. The same rows give the same bytes.
 * @example writeParquet([{ sample: 3 }], { sample: ["INT32", "record number"] }) */
export function writeParquet<Row extends object>(rows: readonly Row[], columns: Columns<Row>): Uint8Array {
  const writer = new TableWriter(columns);
  writer.add(rows);
  return writer.finish();
}

/** {@link writeParquet} for a result that is published: the file is read back, and its rows are
 * counted.
 * @throws Error, as a bug of dynn, when it does not hold the rows
 * @example await checkedParquet([{ sample: 3 }], { sample: ["INT32", "record number"] }) */
export async function checkedParquet<Row extends object>(
  rows: readonly Row[],
  columns: Columns<Row>,
): Promise<Uint8Array> {
  const bytes = writeParquet(rows, columns);
  await checkParquet(bytes, columns, rows.length);
  return bytes;
}

/** Reads a file back.
 * @param expected number of rows
 * @throws Error, as a bug of dynn, when it holds another number of rows, or cannot be read */
export async function checkParquet<Row extends object>(
  bytes: Uint8Array,
  columns: Columns<Row>,
  expected: number,
): Promise<void> {
  const told = Number(parquetMetadata(bytes.slice().buffer).num_rows);
  const { length: read } = await readParquet(bytes, columns, "a written table");
  if (told === expected && read === expected) return;
  throw new Error(`bug: a Parquet file of ${expected} rows says ${told} and gives ${read}`);
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
