/** @file `dynn study report`: the page of a finished study, its figures and its LaTeX table. */
import { join } from "node:path";
import type { Command } from "commander";
import { checkFolderName, checkWritable, makeFolder, writeText } from "../../node/files.js";
import { inStudy, readStudyRecord } from "../../node/studies/folder.js";
import type { StudyRecord } from "../../schema/study/record.js";
import { checkDistinct } from "../shared/distinct.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";

interface ReportFlags {
  readonly out: string;
  readonly figures?: string;
  readonly latex?: string;
  readonly beside?: string;
}

export const reportCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <file>", "the page (HTML)", file).makeOptionMandatory())
    .addOption(option("--figures <dir>", "folder for every figure as SVG", file))
    .addOption(option("--latex <file>", "the verdicts and the effects of transfer as LaTeX tables", file))
    .addOption(option("--beside <dir>", "another study, shown beside this one cell by cell", file))
    .addHelpText("after", HELP)
    .action((folder: string, flags: ReportFlags) => reportAction(folder, flags, io));

const HELP = `
Examples:
  $ dynn study report demo -o demo.html
  $ dynn study report demo -o demo.html --figures figures --latex verdicts.tex
  $ dynn study report small -o small.html --beside paper`;

async function reportAction(
  folder: string,
  { out, figures, latex, beside: other }: ReportFlags,
  io: Io,
): Promise<void> {
  await checkDistinct({ "--out": out, "--latex": latex });
  for (const path of [out, latex]) if (path !== undefined) await checkWritable(path);
  if (figures !== undefined) await checkFolderName(figures);
  const record = await readStudyRecord(inStudy(folder, "record"));
  const beside = other === undefined ? undefined : await readStudyRecord(inStudy(other, "record"));
  const { renderStudy } = await import("../../report/study/page.js");
  await writeText(out, renderStudy(record, { beside }));
  if (latex !== undefined) {
    const { studyTable } = await import("../../report/study/latex.js");
    await writeText(latex, studyTable(record));
  }
  const drawn = figures === undefined ? 0 : await writeFigures(figures, record);
  for (const path of [out, latex]) if (path !== undefined) io.out(`wrote ${path}\n`);
  if (figures !== undefined) io.out(`wrote ${drawn} figures to ${figures}\n`);
}

/** @returns the number of figures */
async function writeFigures(folder: string, record: StudyRecord): Promise<number> {
  await makeFolder(folder);
  const { studyFigures } = await import("../../report/study/figures.js");
  const figures = studyFigures(record);
  for (const [name, svg] of figures) await writeText(join(folder, `${name}.svg`), svg);
  return figures.size;
}
