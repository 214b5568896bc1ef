/** @file `dynn worker`: runs tasks of a study that another process began, from a queue on Redis or
 *  as one shard of a published list. */

import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { joinStudy } from "../../node/engines/index.js";
import { runWorker } from "../../node/engines/queue/worker.js";
import type { Shard } from "../../node/engines/shard.js";
import type { TaskEnd } from "../../studies/tasks/conduct.js";
import type { KeyedTask, SetAside } from "../../studies/tasks/schedule.js";
import { redisOption, shardOption, storeOption, threadsOf, threadsOption } from "../shared/engine-options.js";
import type { Io } from "../shared/io.js";
import { file, option, type Reader, refuse } from "../shared/options.js";

interface WorkerFlags {
  readonly store: string;
  readonly redis?: string;
  readonly list?: string;
  readonly shard?: Shard;
  readonly root: string;
  readonly threads?: number;
}

const listKey: Reader<string> = (text, where) => {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw refuse(where, text, "the 64 hexadecimal digits of a list", "Copy it from the process that began the study");
};

export const workerCommand = (command: Command, io: Io): Command =>
  command
    .addOption(storeOption().makeOptionMandatory())
    .addOption(redisOption())
    .addOption(option("--list <key>", "without Redis: the list of tasks", listKey))
    .addOption(shardOption())
    .addOption(option("--root <folder>", "where relative paths of the study start from", file).default("."))
    .addOption(threadsOption())
    .addHelpText("after", HELP)
    .action((flags: WorkerFlags) => work(flags, io));

const HELP = `
With --redis it runs until Ctrl-C or SIGTERM. Its tasks then stop at a clean
place and go back into the queue. With --list and --shard it runs until the
study is done.

Examples:
  # Work for a study whose queue is on another machine
  $ DYNN_REDIS=redis://:PASSWORD@HOST:6379 dynn worker --store /nfs/study.store

  # One of four jobs that share a folder and no server
  $ dynn worker --store /nfs/study.store --list KEY --shard 1/4`;

async function work(flags: WorkerFlags, io: Io): Promise<void> {
  const { list, shard, redis } = flags;
  if (list !== undefined && shard !== undefined) return workShard({ ...flags, list, shard }, io);
  if (list === undefined && shard === undefined && redis !== undefined) return workQueue({ ...flags, redis }, io);
  throw new DynnError(
    "cli/usage",
    "dynn worker: it takes tasks from a queue (--redis), or a share of a list (--list and --shard). Give one of the two.",
  );
}

async function workQueue(flags: WorkerFlags & { readonly redis: string }, io: Io): Promise<void> {
  const { store, redis, root } = flags;
  const threads = threadsOf(flags);
  io.err(`works for ${store} with ${counted(threads, "thread")}, until Ctrl-C\n`);
  await runWorker({ store, redis, root, threads, signal: io.signal, onTask: (ready, end) => say(ready, end, io) });
  io.err("stopped: unfinished tasks are back in the queue\n");
}

async function workShard(
  { store, root, list, shard, ...flags }: WorkerFlags & { readonly list: string; readonly shard: Shard },
  io: Io,
): Promise<void> {
  const engine = { name: "shard", ...shard } as const;
  const { setAside } = await joinStudy({
    ...{ store, root, list, engine, threads: threadsOf(flags), signal: io.signal },
    onTask: ({ key, task, end, reason, seconds }) => say({ key, task }, { end, reason, seconds }, io),
  });
  if (setAside.length > 0) throw unfinished(setAside);
}

/** One line for each task that ended here. */
function say(
  { key, task }: KeyedTask,
  news: { readonly end: TaskEnd["end"]; reason?: unknown; seconds?: unknown },
  io: Io,
): void {
  const seconds = typeof news.seconds === "number" ? ` ${news.seconds.toFixed(2)} s` : "";
  const reason = typeof news.reason === "string" ? `: ${news.reason}` : "";
  io.out(`${task.kind} ${key.slice(0, 12)} ${news.end}${seconds}${reason}\n`);
}

/** The error of a study with tasks that were set aside. */
function unfinished(setAside: readonly SetAside[]): DynnError {
  const lines = setAside.map(({ key, task, reason }) => `\n  ${task.kind} ${key.slice(0, 12)}: ${reason}`);
  return new DynnError(
    "study/aside",
    `${counted(setAside.length, "task was", "tasks were")} set aside:${lines.join("")}\nCorrect the cause and run the study again: finished tasks stay.`,
    { tasks: setAside.map(({ key }) => key) },
  );
}
