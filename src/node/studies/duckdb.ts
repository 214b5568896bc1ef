/** @file DuckDB in memory, for questions in SQL. It reads the files of one folder, and runs only
 *  statements that read. The package is optional: install @duckdb/node-api beside dynn. */
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { DynnError, reasonOf } from "../../core/errors.js";
import type { AnyColumns } from "../../schema/study/views.js";

/** A table of results. */
export interface SqlResult {
  readonly columns: readonly string[];
  /** Plain values, one list per row in the order of the columns. Integers beyond 2^53 are text. */
  readonly rows: readonly (readonly unknown[])[];
}

/** A database in memory that holds views of one folder. */
export interface ReadingDatabase {
  /** Runs dynn's own statement, which may make tables and views. */
  readonly define: (sql: string) => Promise<void>;
  /** Makes a table from rows. */
  readonly fill: (name: string, columns: AnyColumns, rows: readonly object[]) => Promise<void>;
  /** Answers a question.
   * @throws DynnError 'study/sql' when the statement is wrong or does more than read */
  readonly ask: (sql: string, signal?: AbortSignal) => Promise<SqlResult>;
  readonly close: () => void;
}

type DuckDb = typeof import("@duckdb/node-api");

/** Opens a database in memory.
 * @param folder the one folder whose files it may read
 * @throws DynnError 'study/duckdb' when the package is missing */
export async function openDuckDb(folder: string): Promise<ReadingDatabase> {
  const duckdb = await loadDuckDb();
  const instance = await duckdb.DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  // Sums of floating-point numbers depend on their order, and so on the number of threads.
  await connection.run("SET threads = 1");
  await connection.run(`SET allowed_directories = [${quoted(folder)}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  return {
    define: async (sql) => {
      await connection.run(sql);
    },
    fill: (name, columns, rows) => fill(connection, name, columns, rows),
    ask: (sql, signal) => ask(duckdb, connection, sql, signal),
    close: () => closeAll(connection, instance),
  };
}

/** A text as a literal of SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The type of a column in SQL. */
export const sqlType = (type: string): string =>
  ({ STRING: "VARCHAR", INT32: "INTEGER", DOUBLE: "DOUBLE", BOOLEAN: "BOOLEAN" })[type.replace("nullable ", "")] ??
  "VARCHAR";

const loadDuckDb = (): Promise<DuckDb> =>
  import("@duckdb/node-api").catch((cause: unknown) => {
    throw new DynnError(
      "study/duckdb",
      `@duckdb/node-api: cannot be loaded (${reasonOf(cause)}). Install it: npm install @duckdb/node-api.`,
      {},
      { cause },
    );
  });

function closeAll(connection: DuckDBConnection, instance: DuckDBInstance): void {
  connection.closeSync();
  instance.closeSync();
}

async function fill(
  connection: DuckDBConnection,
  table: string,
  columns: AnyColumns,
  rows: readonly object[],
): Promise<void> {
  const entries = Object.entries(columns);
  await connection.run(
    `CREATE TABLE "${table}" (${entries.map(([name, [type]]) => `"${name}" ${sqlType(type)}`).join(", ")})`,
  );
  const appender = await connection.createAppender(table);
  for (const row of rows as readonly Readonly<Record<string, unknown>>[]) {
    for (const [name, [type]] of entries) append(appender, type, row[name]);
    appender.endRow();
  }
  appender.closeSync();
}

type Appender = Awaited<ReturnType<DuckDBConnection["createAppender"]>>;

function append(appender: Appender, type: string, value: unknown): void {
  if (value === null || value === undefined) appender.appendNull();
  else if (sqlType(type) === "DOUBLE") appender.appendDouble(Number(value));
  else if (sqlType(type) === "INTEGER") appender.appendInteger(Number(value));
  else if (sqlType(type) === "BOOLEAN") appender.appendBoolean(value === true);
  else appender.appendVarchar(String(value));
}

async function ask(
  duckdb: DuckDb,
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<SqlResult> {
  const stop = (): void => connection.interrupt();
  signal?.addEventListener("abort", stop);
  try {
    const statement = await readingStatement(duckdb, connection, sql);
    const reader = await statement.runAndReadAll();
    return { columns: reader.deduplicatedColumnNames(), rows: reader.getRowsJS().map((row) => row.map(plain)) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DynnError) throw cause;
    throw new DynnError("study/sql", `the query: ${reasonOf(cause)}`, { sql }, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** DuckDB's own parser says what a statement does: WITH, VALUES, FROM, DESCRIBE, SHOW and SUMMARIZE
 * are SELECT for it. EXPLAIN is none, because EXPLAIN ANALYZE runs what it explains. */
async function readingStatement(duckdb: DuckDb, connection: DuckDBConnection, sql: string) {
  const statements = await connection.extractStatements(sql).catch((cause: unknown) => {
    if (sql.trim() === "") throw refused("it is empty", sql);
    throw cause;
  });
  if (statements.count !== 1) throw refused(`got ${statements.count} statements`, sql);
  const statement = await statements.prepare(0);
  const { SELECT } = duckdb.StatementType;
  if (statement.statementType === SELECT) return statement;
  throw refused(`got ${duckdb.StatementType[statement.statementType]}`, sql);
}

const refused = (got: string, sql: string): DynnError =>
  new DynnError(
    "study/sql",
    `the query: ${got}, expected one statement that reads: SELECT, WITH, FROM, DESCRIBE, SHOW or SUMMARIZE. To change tables, export them first.`,
    { sql },
  );

/** A value that JSON can hold. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
