/** @file Questions about a study in SQL. Views show the results of its finished tasks, found by
 *  their manifests, and the tables of its questions (sql/tables). */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DynnError } from "../../core/errors.js";
import { type AnyColumns, STUDY_VIEWS, SUBJECT_COLUMNS } from "../../schema/study/views.js";
import type { StudyTasks } from "../../studies/study/builder.js";
import { StudyResults } from "../../studies/study/results.js";
import { subjectsOf } from "../../studies/study/subjects.js";
import { type Finished, viewRows } from "../../studies/study/views.js";
import { TABLE_COLUMNS } from "../../studies/tasks/columns.js";
import { ANSWERS_FILE, GATE_ROWS_FILE } from "../../studies/tasks/kinds/answers.js";
import { SLOPES_FILE } from "../../studies/tasks/kinds/finite-differences.js";
import { LATENCY_FILE } from "../../studies/tasks/kinds/latency.js";
import { OUTCOMES_FILE } from "../../studies/tasks/kinds/opened.js";
import { PACE_FILE } from "../../studies/tasks/kinds/pace.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import { packageFile } from "../data/package-root.js";
import type { SharedStore } from "../store/shared.js";
import { openDuckDb, quoted, type ReadingDatabase, type SqlResult, sqlType } from "./duckdb.js";
import { type ResultFiles, resultFiles } from "./result-files.js";

/** The tables of results: the file of each, and its columns. */
export const RESULT_TABLES: Readonly<Record<string, { readonly file: string; readonly columns: AnyColumns }>> =
  Object.fromEntries(
    Object.entries({
      ...{ answers: ANSWERS_FILE, gateBits: GATE_ROWS_FILE, outcomes: OUTCOMES_FILE, latency: LATENCY_FILE },
      ...{ pace: PACE_FILE, slopes: SLOPES_FILE },
    }).map(([name, file]) => [name, { file, columns: TABLE_COLUMNS[file] }]),
  );

/** A study whose tables can be asked. */
export interface StudySql {
  /** Answers a question in SQL. `@name` is short for a table of the questions, whole and sorted.
   * @throws DynnError 'study/sql' */
  readonly ask: (question: string, signal?: AbortSignal) => Promise<SqlResult>;
  readonly close: () => Promise<void>;
}

/** Opens the tables of a study.
 * @throws DynnError 'study/duckdb' when DuckDB is missing, 'store/damaged', 'store/unreachable'
 * @example
 * const sql = await openStudySql(compiled.tasks, await openStore("demo/store"));
 * const { rows } = await sql.ask("SELECT kind, count(*) FROM tasks GROUP BY kind"); */
export async function openStudySql(tasks: StudyTasks, store: SharedStore): Promise<StudySql> {
  const files = await resultFiles(store);
  try {
    const database = await openDuckDb(files.folder);
    await define(database, files, tasks, store);
    return {
      ask: (question, signal) => database.ask(question.startsWith("@") ? tableNamed(question) : question, signal),
      close: async () => {
        database.close();
        await files.close();
      },
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function define(
  database: ReadingDatabase,
  files: ResultFiles,
  tasks: StudyTasks,
  store: SharedStore,
): Promise<void> {
  const finished = await finishedTasks(tasks, store);
  const rows = await viewRows(tasks, finished, new StudyResults(store));
  for (const [name, columns] of Object.entries(STUDY_VIEWS))
    await database.fill(name, columns, rows[name as keyof typeof STUDY_VIEWS]);
  for (const [name, table] of Object.entries(RESULT_TABLES))
    await defineResult(database, name, table, await pathsOf(finished, table.file, files));
  for (const { name, text } of questionTables()) await database.define(`CREATE VIEW "${name}" AS ${text}`);
}

/** The tasks of a study that are done, in their order. */
export async function finishedTasks(tasks: StudyTasks, store: Pick<TaskStore, "manifest">): Promise<Finished[]> {
  const finished: Finished[] = [];
  for (const topic of subjectsOf(tasks)) {
    const manifest = await store.manifest(topic.key);
    if (manifest) finished.push({ topic, manifest });
  }
  return finished;
}

const FILE_COLUMNS: AnyColumns = { key: ["STRING", "key of the task"], path: ["STRING", "path of the object"] };

interface KeyedPath {
  readonly key: string;
  readonly path: string;
}

async function pathsOf(finished: readonly Finished[], file: string, files: ResultFiles): Promise<KeyedPath[]> {
  const paths: KeyedPath[] = [];
  for (const { manifest } of finished)
    if (Object.hasOwn(manifest.files, file)) paths.push({ key: manifest.key, path: await files.path(manifest, file) });
  return paths;
}

/** Two tasks can have the same bytes, and so the same path: rows are joined by it. */
async function defineResult(
  database: ReadingDatabase,
  name: string,
  { columns }: { readonly columns: AnyColumns },
  paths: readonly KeyedPath[],
): Promise<void> {
  await database.fill(`${name}Files`, FILE_COLUMNS, paths);
  await database.define(`CREATE VIEW "${name}" AS ${viewOf(name, columns, [...new Set(paths.map((f) => f.path))])}`);
}

function viewOf(name: string, columns: AnyColumns, paths: readonly string[]): string {
  if (paths.length === 0) return emptyView({ ...SUBJECT_COLUMNS, ...columns });
  const topic = Object.keys(SUBJECT_COLUMNS).map((column) => `t."${column}"`);
  const own = Object.keys(columns).map((column) => `r."${column}"`);
  return `SELECT ${[...topic, ...own].join(", ")} FROM read_parquet([${paths.map(quoted).join(", ")}], filename = true) r JOIN "${name}Files" f ON f.path = r.filename JOIN tasks t ON t.key = f.key`;
}

const emptyView = (columns: AnyColumns): string =>
  `SELECT ${Object.entries(columns)
    .map(([name, [type]]) => `NULL::${sqlType(type)} AS "${name}"`)
    .join(", ")} WHERE false`;

/** A table of the questions, which is a file of sql/. */
export interface QuestionTable {
  readonly name: string;
  /** The query. */
  readonly text: string;
  /** What it shows: the first comment of its file. */
  readonly about: string;
}

/** The tables of the questions, each behind those that it reads.
 * @example questionTables().map(({ name }) => name); // ["routed", "transfer", ...] */
export function questionTables(): QuestionTable[] {
  const folder = packageFile("sql", "tables");
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  const files = [...names.sort(byNumber).map((name) => join(folder, name)), join(dirname(folder), "claims.sql")];
  return files.map(readTable);
}

/** Files begin with a number, which says in which order they are made. */
const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

function readTable(path: string): QuestionTable {
  const text = readFileSync(path, "utf8").trim().replace(/;$/, "");
  const name = camelCase(/(?:\d+-)?([\w-]+)\.sql$/.exec(path)?.[1] ?? path);
  const comment = /^(?:--.*\n)+/.exec(text)?.[0] ?? "";
  return { name, text, about: comment.replace(/^-- ?/gm, "").trim().replaceAll("\n", " ") };
}

const camelCase = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function tableNamed(question: string): string {
  const name = question.slice(1).trim();
  const known = questionTables().map((each) => each.name);
  if (known.includes(name)) return `SELECT * FROM "${name}" ORDER BY ALL`;
  throw new DynnError(
    "study/sql",
    `@${name}: is no table of the questions. They are ${known.map((each) => `@${each}`).join(", ")}.`,
    { name },
  );
}
