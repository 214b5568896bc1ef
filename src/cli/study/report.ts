/** @file `dynn study report`: the page of a finished study. */
import type { Command } from "commander";
import { checkWritable, writeText } from "../../node/files.js";
import { inStudy, readStudyRecord } from "../../node/studies/folder.js";
import { renderStudy } from "../../report/study/page.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";

interface ReportFlags {
  readonly out: string;
}

export const reportCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <file>", "the page (HTML)", file).makeOptionMandatory())
    .addHelpText("after", "\nExamples:\n  $ dynn study report demo -o demo.html")
    .action(async (folder: string, { out }: ReportFlags) => {
      await checkWritable(out);
      const record = await readStudyRecord(inStudy(folder, "record"));
      await writeText(out, renderStudy(record));
      io.out(`wrote ${out}\n`);
    });
