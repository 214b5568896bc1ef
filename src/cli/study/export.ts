/** @file `dynn study export`: the routed results of a study as one table. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { checkWritable } from "../../node/files.js";
import { openStore } from "../../node/store/open.js";
import { exportStudy } from "../../node/studies/export.js";
import { openStudy } from "../../node/studies/folder.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";

interface ExportFlags {
  readonly out: string;
  readonly csv?: string;
}

export const exportCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <file>", "the table (Parquet)", file).makeOptionMandatory())
    .addOption(option("--csv <file>", "also as CSV", file))
    .addHelpText("after", HELP)
    .action((folder: string, flags: ExportFlags) => exportAction(folder, flags, io));

const HELP = `
One row per attacked image and target, sorted. The same study gives the same
bytes. docs/study-tables.md lists the columns.

Examples:
  $ dynn study export demo -o demo.parquet --csv demo.csv`;

async function exportAction(folder: string, { out, csv }: ExportFlags, io: Io): Promise<void> {
  await checkWritable(out);
  if (csv !== undefined) await checkWritable(csv);
  const { compiled, store: place } = await openStudy(folder);
  const store = await openStore(place);
  const { rows, left } = await withProgress((onProgress) =>
    exportStudy(compiled.tasks, store, { out, csv, signal: io.signal, onProgress }),
  );
  if (left > 0) io.err(`${left} pairs of attack and target are left out: their tasks are not done.\n`);
  io.out(`wrote ${counted(rows, "row")} to ${csv === undefined ? out : `${out} and ${csv}`}\n`);
}
