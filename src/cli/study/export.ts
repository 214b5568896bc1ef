/** @file `dynn study export`: the routed results of a study as one table, and the networks that it
 *  has trained. */
import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { checkFolderName, checkWritable } from "../../node/files.js";
import { openStore } from "../../node/store/open.js";
import { exportStudy } from "../../node/studies/export.js";
import { exportNetworks } from "../../node/studies/export-networks.js";
import { openStudy } from "../../node/studies/folder.js";
import type { StudyTasks } from "../../studies/study/builder.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";

interface ExportFlags {
  readonly out?: string;
  readonly csv?: string;
  readonly networks?: string;
}

export const exportCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <file>", "the table (Parquet)", file))
    .addOption(option("--csv <file>", "the table also as CSV", file))
    .addOption(option("--networks <dir>", "folder for the networks that the study has trained, as ONNX", file))
    .addHelpText("after", HELP)
    .action((folder: string, flags: ExportFlags) => exportAction(folder, flags, io));

const HELP = `
The table has one row per attacked image and target, sorted. The same study
gives the same bytes. docs/study-tables.md lists the columns. Each network has
its card: \`dynn inspect FILE\` shows it.

Examples:
  $ dynn study export demo -o demo.parquet --csv demo.csv
  $ dynn study export small --networks networks`;

async function exportAction(folder: string, flags: ExportFlags, io: Io): Promise<void> {
  const { out, csv, networks } = flags;
  if (out === undefined && (networks === undefined || csv !== undefined))
    throw new DynnError(
      "cli/usage",
      "dynn study export: what shall be written? Name the table with -o FILE, or a folder for trained networks with --networks DIR.",
      { csv },
    );
  for (const path of [out, csv]) if (path !== undefined) await checkWritable(path);
  if (networks !== undefined) await checkFolderName(networks);
  const { compiled, store: place } = await openStudy(folder);
  const store = await openStore(place);
  if (out !== undefined) await writeTables(compiled.tasks, store, { out, csv }, io);
  if (networks !== undefined) await writeNetworks(compiled.tasks, store, networks, io);
}

async function writeTables(
  tasks: StudyTasks,
  store: TaskStore,
  { out, csv }: { readonly out: string; readonly csv: string | undefined },
  io: Io,
): Promise<void> {
  const { rows, left } = await withProgress((onProgress) =>
    exportStudy(tasks, store, { out, csv, signal: io.signal, onProgress }),
  );
  if (left > 0) io.err(`${left} pairs of attack and target are left out: their tasks are not done.\n`);
  io.out(`wrote ${counted(rows, "row")} to ${csv === undefined ? out : `${out} and ${csv}`}\n`);
}

async function writeNetworks(tasks: StudyTasks, store: TaskStore, folder: string, io: Io): Promise<void> {
  const { written, left } = await exportNetworks(tasks, store, folder);
  if (left.length > 0) io.err(`${left.join(", ")}: not written, because the training is not done.\n`);
  if (written.length + left.length === 0) io.err("The study trains no network, so there is none to write.\n");
  for (const path of written) io.out(`wrote ${path}\n`);
}
