/** @file The engine `slurm`: writes an array script whose jobs are shards of a study, and
 *  submits it where there is sbatch. Source: sbatch(1), job arrays. */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DynnError } from "../../core/errors.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { writeText } from "../files.js";
import { codeOf, unwritable } from "../output-files.js";
import type { Place } from "./protocol.js";

/** What the jobs of an array do. */
export interface SlurmArray extends Place {
  readonly list: TaskKey;
  /** Number of jobs. */
  readonly jobs: number;
  /** Cores of each job. */
  readonly threads: number;
  /** Where script and logs go. */
  readonly folder: string;
}

/** Seconds before its time limit when a job is told to stop. */
const NOTICE_SECONDS = 60;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The array script. Partition, time and memory come from the SBATCH_ variables of the
 * environment.
 * @example slurmScript({ list, store: "/nfs/store", root: "/nfs", jobs: 8, threads: 4, folder:
 *   "/nfs/store/slurm" }) */
export function slurmScript({ list, store, root, jobs, threads, folder }: SlurmArray): string {
  const main = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
  const place = store.startsWith("s3://") ? store : resolve(store);
  return [
    "#!/bin/bash",
    "#SBATCH --job-name=dynn",
    `#SBATCH --array=1-${jobs}`,
    `#SBATCH --cpus-per-task=${threads}`,
    `#SBATCH --output=${join(resolve(folder), "%A_%a.log")}`,
    `#SBATCH --signal=B:TERM@${NOTICE_SECONDS}`,
    `exec ${quoted(process.execPath)} ${quoted(main)} worker --store ${quoted(place)} --root ${quoted(resolve(root))} \\`,
    `  --list ${list} --shard "$SLURM_ARRAY_TASK_ID/${jobs}" --threads ${threads}`,
    "",
  ].join("\n");
}

/** Writes the script, submits it, and waits until all jobs have ended.
 * @returns the folder with the logs of the jobs
 * @throws DynnError 'study/worker' when the machine has no sbatch, or sbatch refuses the script
 * @throws the reason of the signal, after the jobs were cancelled */
export async function runSlurm(array: SlurmArray, signal: AbortSignal | undefined): Promise<string> {
  const script = await written(array);
  const job = await submitted(script);
  const cancel = (): void => void spawn("scancel", [job], { stdio: "ignore" }).on("error", () => undefined);
  signal?.addEventListener("abort", cancel);
  try {
    while (await isQueued(job)) {
      signal?.throwIfAborted();
      await new Promise((later) => setTimeout(later, POLL_MS));
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  return array.folder;
}

/** Milliseconds between two looks at the queue of Slurm. */
const POLL_MS = 5000;

async function written(array: SlurmArray): Promise<string> {
  const path = join(array.folder, `${array.list.slice(0, 12)}.sh`);
  await mkdir(array.folder, { recursive: true }).catch((cause: unknown) => {
    throw unwritable(array.folder, cause, "Choose a store that you may write to.");
  });
  await writeText(path, slurmScript(array));
  return path;
}

/** @returns the number of the job */
async function submitted(script: string): Promise<string> {
  const { code, out, err } = await called("sbatch", ["--parsable", script]);
  if (code === "ENOENT")
    throw new DynnError(
      "study/worker",
      `${script}: is written, and this machine has no sbatch to submit it. Run \`sbatch ${script}\` on the cluster, and this command again when the jobs have ended.`,
      { script },
    );
  if (code !== 0)
    throw new DynnError(
      "study/worker",
      `${script}: sbatch refuses it (${err.trim()}). Correct the SBATCH_ variables.`,
      {
        script,
      },
    );
  return out.trim().split(";")[0];
}

/** Slurm forgets a job some minutes after its end, and squeue then fails. */
async function isQueued(job: string): Promise<boolean> {
  const { code, out } = await called("squeue", ["--noheader", "--jobs", job]);
  return code === 0 && out.trim() !== "";
}

function called(
  program: string,
  argv: readonly string[],
): Promise<{ readonly code: number | string; readonly out: string; readonly err: string }> {
  return new Promise((end) => {
    let [out, err] = ["", ""];
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (text: Buffer) => {
      out += text;
    });
    child.stderr.on("data", (text: Buffer) => {
      err += text;
    });
    child.on("error", (error) => end({ code: codeOf(error), out, err: error.message }));
    child.on("close", (code) => end({ code: code ?? "signal", out, err }));
  });
}
