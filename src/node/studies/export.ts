/** @file Writes the routed results of a study as one Parquet file, and as CSV. The same study gives
 *  the same bytes. */
import type { FileHandle } from "node:fs/promises";
import { checkParquet, TableWriter } from "../../data/parquet.js";
import { ROUTED_COLUMNS, type RoutedRow } from "../../schema/study/tables.js";
import type { StudyTasks } from "../../studies/study/builder.js";
import { routedSets } from "../../studies/study/routed-rows.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import { replaceFile, replaceInSteps } from "../output-files.js";

/** What to write. */
export interface ExportOptions {
  /** The Parquet file. */
  readonly out: string;
  /** Also a CSV file. */
  readonly csv?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { phase: string; done: number; total: number }) => void) | undefined;
}

/** What was written. */
export interface Exported {
  readonly rows: number;
  /** Number of pairs of attack and target whose tasks are not done. */
  readonly left: number;
}

/** Rows of one row group at most, so that a large study needs little memory. */
const GROUP = 50_000;

/** Writes the routed results of the finished tasks, sorted. Files appear whole or not at all.
 * @throws DynnError 'file/unwritable', 'file/full', 'store/damaged', 'store/unreachable'
 * @example await exportStudy(compiled.tasks, store, { out: "demo.parquet" }); */
export async function exportStudy(
  tasks: StudyTasks,
  store: TaskStore,
  { out, csv, signal, onProgress }: ExportOptions,
): Promise<Exported> {
  const done = await store.done(tasks.graph.all().map(({ key }) => key));
  const { sets, left } = routedSets(tasks, store, done);
  const total = csv === undefined ? sets.length : 2 * sets.length;
  let read = 0;
  const each = async (take: (rows: readonly RoutedRow[]) => void | Promise<void>): Promise<void> => {
    for (const set of sets) {
      signal?.throwIfAborted();
      await take(sorted(await set.rows()));
      onProgress?.({ phase: "export", done: ++read, total });
    }
  };
  const rows = await writeTable(out, each);
  if (csv !== undefined) await replaceInSteps(csv, (file) => writeCsv(file, each));
  return { rows, left };
}

type Each = (take: (rows: readonly RoutedRow[]) => void | Promise<void>) => Promise<void>;

const sorted = (rows: readonly RoutedRow[]): RoutedRow[] => [...rows].sort((a, b) => a.sample - b.sample);

async function writeTable(path: string, each: Each): Promise<number> {
  const writer = new TableWriter(ROUTED_COLUMNS);
  let waiting: RoutedRow[] = [];
  let count = 0;
  await each((rows) => {
    waiting.push(...rows);
    count += rows.length;
    if (waiting.length < GROUP) return;
    writer.add(waiting);
    waiting = [];
  });
  writer.add(waiting);
  const bytes = writer.finish();
  await checkParquet(bytes, ROUTED_COLUMNS, count);
  await replaceFile(path, bytes);
  return count;
}

const NAMES = Object.keys(ROUTED_COLUMNS) as (keyof RoutedRow)[];

/** Source: RFC 4180, with line ends of one character. */
async function writeCsv(file: FileHandle, each: Each): Promise<void> {
  await file.write(`${NAMES.join(",")}\n`);
  await each(async (rows) => {
    await file.write(rows.map((row) => `${NAMES.map((name) => cell(row[name])).join(",")}\n`).join(""));
  });
}

const cell = (value: string | number | boolean): string =>
  typeof value === "string" && /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value);
