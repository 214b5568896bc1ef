/** @file `dynn study run`: runs a plan, or goes on with it. */
import { dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import { runStudy } from "../../node/engines/index.js";
import { writeText } from "../../node/files.js";
import { openStore } from "../../node/store/open.js";
import { beginStudy, inStudy, openStudy, readPlan } from "../../node/studies/folder.js";
import { taskListOf } from "../../studies/study/compile.js";
import { studyRecord } from "../../studies/study/record.js";
import { common } from "../shared/common-options.js";
import { Interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";
import { verdictTable } from "./verdicts.js";

interface RunFlags {
  readonly out: string;
  readonly edited?: boolean;
  readonly threads?: number;
}

export const runCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <dir>", "folder of the study", file).makeOptionMandatory())
    .option("--edited", "go on with a plan that was edited; the report says so")
    .addOption(common("threads"))
    .addHelpText("after", HELP)
    .action((plan: string, flags: RunFlags) => runAction(plan, flags, io));

const HELP = `
Tasks run in child processes, one thread each. What is timed has the machine for
itself. After Ctrl-C, a kill or a reboot, the same command goes on.

Examples:
  $ dynn study run demo.json --out demo`;

async function runAction(path: string, { out, edited = false, threads }: RunFlags, io: Io): Promise<void> {
  const root = dirname(resolve(path));
  const plan = await readPlan(path);
  await beginStudy(out, plan, { root: relative(resolve(out), root) || ".", edited });
  const study = await openStudy(out);
  const { setAside } = await withStudyProgress(io, (onProgress) =>
    runStudy({
      ...{ list: taskListOf(study.compiled), store: inStudy(out, "store"), root, threads, signal: io.signal },
      onProgress: ({ done, total }) => onProgress({ phase: `study ${plan.name}`, done, total }),
    }),
  );
  if (setAside.length > 0)
    throw new DynnError(
      "study/aside",
      `${out}: ${setAside.length} tasks were set aside. The first is ${setAside[0].task.kind}: ${setAside[0].reason} \`dynn study status ${out}\` lists them. The same command tries again.`,
      { folder: out, tasks: setAside.map(({ key }) => key) },
    );
  const record = await studyRecord(plan, await openStore(inStudy(out, "store")), {
    ...{ edited: study.edited, notRun: [], version: VERSION },
  });
  await writeText(inStudy(out, "record"), `${JSON.stringify(record, undefined, 2)}\n`);
  io.out(verdictTable(record));
  io.out(`\nwrote ${inStudy(out, "record")}; \`dynn study report ${out} -o report.html\` draws it\n`);
}

/** Progress, and what to say after Ctrl-C. */
async function withStudyProgress<T>(
  io: Io,
  work: (onProgress: (progress: { phase: string; done: number; total: number }) => void) => Promise<T>,
): Promise<T> {
  try {
    return await withProgress(work);
  } catch (thrown) {
    if (!(thrown instanceof Interrupted) && !io.signal.aborted) throw thrown;
    throw new Interrupted("Interrupted. Finished tasks stay; the same command goes on.");
  }
}
