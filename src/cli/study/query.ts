/** @file `dynn study query`: answers a question in SQL about the results of a study. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { openStore } from "../../node/store/open.js";
import type { SqlResult } from "../../node/studies/duckdb.js";
import { openStudy } from "../../node/studies/folder.js";
import { openStudySql, questionTables } from "../../node/studies/sql.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { folded } from "../shared/listed.js";
import { table } from "../shared/table.js";

interface QueryFlags {
  readonly json?: string;
}

export const queryCommand = (command: Command, io: Io): Command =>
  command
    .argument("<sql>", "one statement that reads, or @NAME for a table of the questions")
    .addOption(common("json", { about: "write the rows as JSON; - prints them" }))
    .addHelpText("after", help)
    .action((folder: string, sql: string, flags: QueryFlags) => queryAction(folder, sql, flags, io));

const help = (): string => `
DuckDB answers (npm install @duckdb/node-api). docs/study-tables.md lists the
tables. Tables of the questions:
${folded(
  questionTables()
    .map(({ name }) => `@${name}`)
    .join(", "),
)}

Examples:
  $ dynn study query demo @transfer
  $ dynn study query demo "SELECT kind, count(*) AS n FROM tasks GROUP BY kind"
  $ dynn study query demo "FROM routed WHERE attack = ''" --json rows.json`;

async function queryAction(folder: string, sql: string, { json }: QueryFlags, io: Io): Promise<void> {
  await checkJson(json);
  const { compiled, store: place } = await openStudy(folder);
  const study = await openStudySql(compiled.tasks, await openStore(place));
  try {
    const result = await study.ask(sql, io.signal);
    await printWithJson(io, json, { value: asRecords(result), text: () => asText(result) });
  } finally {
    await study.close();
  }
}

const asRecords = ({ columns, rows }: SqlResult): Readonly<Record<string, unknown>>[] =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));

function asText({ columns, rows }: SqlResult): string {
  const heads = columns.map((head, i) => ({
    head,
    align: rows.some((row) => typeof row[i] === "string") ? ("left" as const) : ("right" as const),
  }));
  const shown = rows.map((row) => row.map(shownValue));
  return `${table(heads, shown)}${counted(rows.length, "row")}\n`;
}

function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
