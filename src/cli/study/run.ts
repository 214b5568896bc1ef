/** @file `dynn study run`: runs a plan, or goes on with it. */

import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { VERSION } from "../../core/version.js";
import { runStudy } from "../../node/engines/index.js";
import { writeText } from "../../node/files.js";
import { openStore } from "../../node/store/open.js";
import { beginStudy, inStudy, openStudy, readPlan } from "../../node/studies/folder.js";
import { taskListOf } from "../../studies/study/compile.js";
import { studyRecord } from "../../studies/study/record.js";
import type { StudyEnd } from "../../studies/tasks/conduct.js";
import { type EngineFlags, engineOf, engineOptions, storeOption, threadsOf } from "../shared/engine-options.js";
import { Interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";
import { verdictTable } from "./verdicts.js";

interface RunFlags extends EngineFlags {
  readonly out: string;
  readonly store?: string;
  readonly edited?: boolean;
}

export function runCommand(command: Command, io: Io): Command {
  command
    .addOption(option("-o, --out <dir>", "folder of the study", file).makeOptionMandatory())
    .addOption(storeOption())
    .option("--edited", "go on with a plan that was edited; the report says so");
  for (const one of engineOptions()) command.addOption(one);
  return command.addHelpText("after", HELP).action((plan: string, flags: RunFlags) => runAction(plan, flags, io));
}

const HELP = `
Tasks run in child processes, one thread each. What is timed has the machine for
itself. After Ctrl-C, a kill or a reboot, the same command goes on.

Examples:
  $ dynn study run demo.json --out demo

  # One of four processes that share a folder, and no server (docs/engines.md)
  $ dynn study run small.json --out small --engine shard --shard 1/4

  # With workers on other machines: dynn worker --redis URL --store STORE
  $ dynn study run small.json --out small --store s3://bucket/small \\
      --engine bullmq --redis redis://queue:6379`;

async function runAction(path: string, flags: RunFlags, io: Io): Promise<void> {
  const { out, edited = false } = flags;
  const engine = engineOf(flags);
  const root = dirname(resolve(path));
  const plan = await readPlan(path);
  const store = await beginStudy(out, plan, { edited, store: flags.store });
  const study = await openStudy(out);
  const { setAside } = await withStudyProgress(io, (onProgress) =>
    runStudy({
      ...{ list: taskListOf(study.compiled), store, root, engine, threads: threadsOf(flags), signal: io.signal },
      onProgress: ({ done, total }) => onProgress({ phase: `study ${plan.name}`, done, total }),
      onNotice: (text) => io.err(`${text}\n`),
    }),
  );
  if (setAside.length > 0) throw unfinished(out, setAside);
  const record = await studyRecord(plan, await openStore(store), {
    ...{ edited: study.edited, notRun: [], version: VERSION },
  });
  await writeText(inStudy(out, "record"), `${JSON.stringify(record, undefined, 2)}\n`);
  io.out(verdictTable(record));
  io.out(`\nwrote ${inStudy(out, "record")}; \`dynn study report ${out} -o report.html\` draws it\n`);
}

const unfinished = (folder: string, setAside: StudyEnd["setAside"]): DynnError =>
  new DynnError(
    "study/aside",
    `${folder}: ${counted(setAside.length, "task was", "tasks were")} set aside. The first is ${setAside[0].task.kind}: ${setAside[0].reason} \`dynn study status ${folder}\` counts what is done. The same command tries again.`,
    { folder, tasks: setAside.map(({ key }) => key) },
  );

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
