/** @file The outputs of `dynn audit`: record, report, table, rows, and what is printed. */
import { present } from "../../core/present.js";
import { checkWritable, writeText } from "../../node/files.js";
import { writeRows } from "../../node/parquet.js";
import { RESULT_FORMS, type ResultForm, resultsTable } from "../../report/audit/results.js";
import type { AuditOutcome } from "../../studies/audit/index.js";
import { checkDistinct } from "../shared/distinct.js";
import type { Io } from "../shared/io.js";
import { type Reader, refuse } from "../shared/options.js";
import { auditTables } from "./tables.js";

/** The flags that name outputs. */
export interface OutputFlags {
  readonly json?: string;
  readonly report?: string;
  readonly records?: string;
  readonly table?: string;
}

/** The endings of a table. */
export const FORM_ENDINGS = RESULT_FORMS.map((form) => `.${form}`).join(", ");

const formOf = (path: string): ResultForm | undefined => RESULT_FORMS.find((form) => path.endsWith(`.${form}`));

/** The path of a table, whose ending names its form. */
export const tableFile: Reader<string> = (text, where) => {
  if (formOf(text) !== undefined) return text;
  throw refuse(where, text, `a file that ends in ${FORM_ENDINGS}`, `Write e.g. ${where} results.tex`);
};

/** Tries the outputs before the work.
 * @throws DynnError 'cli/usage', 'file/unwritable' */
export async function checkOutputs({ json, report, records, table }: OutputFlags): Promise<void> {
  await checkDistinct({ "--json": json, "--report": report, "--records": records, "--table": table });
  for (const path of [json, report, records, table]) if (path !== undefined && path !== "-") await checkWritable(path);
}

/** Writes and prints what the flags ask for. */
export async function writeOutputs({ record, gallery, rows }: AuditOutcome, flags: OutputFlags, io: Io): Promise<void> {
  const json = `${JSON.stringify(record, undefined, 2)}\n`;
  if (flags.report !== undefined) {
    const { renderAudit } = await import("../../report/audit/page.js");
    await writeText(flags.report, renderAudit(record, { gallery }));
  }
  if (flags.json !== undefined && flags.json !== "-") await writeText(flags.json, json);
  if (flags.records !== undefined) await writeRows(flags.records, rows);
  if (flags.table !== undefined)
    await writeText(flags.table, resultsTable(record, { form: present(formOf(flags.table), "form") }));
  if (flags.json === "-") return io.out(json);
  io.out(auditTables(record));
  for (const path of [flags.report, flags.json, flags.records, flags.table])
    if (path !== undefined) io.out(`wrote ${path}\n`);
}
