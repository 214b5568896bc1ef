/** @file The options that say where the tasks of a study run: engine, shard, queue, store and
 *  threads. */
import { availableParallelism } from "node:os";
import type { Option } from "commander";
import { DynnError } from "../../core/errors.js";
import type { EngineChoice } from "../../node/engines/index.js";
import type { Shard } from "../../node/engines/shard.js";
import { common } from "./common-options.js";
import { file, oneOf, option, type Reader, refuse, text, whole } from "./options.js";

/** The engines, in the order of the help. */
export const ENGINES = ["local", "shard", "bullmq", "slurm"] as const;

/** What the options give. */
export interface EngineFlags {
  readonly engine: (typeof ENGINES)[number];
  readonly shard?: Shard;
  readonly redis?: string;
  readonly jobs?: number;
  readonly threads?: number;
}

const shard: Reader<Shard> = (given, where) => {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(given)?.map(Number) ?? [];
  if (index !== undefined && count !== undefined && index >= 1 && index <= count) return { index, count };
  throw refuse(where, given, "I/N with I from 1 to N", `Write e.g. ${where} 1/4`);
};

export const shardOption = (): Option =>
  option("--shard <i/n>", "the share of this process, 1/N to N/N; it does what is missing in the end", shard);

/** Everyone who may list processes sees a password on the command line, but not in the
 * environment. */
export const redisOption = (): Option => option("--redis <url>", "the Redis of the queue", text).env("DYNN_REDIS");

export const storeOption = (): Option =>
  option("--store <place>", "where results are: a folder, or s3://BUCKET/PREFIX", file);

export const threadsOption = (): Option =>
  common("threads", { about: "threads of this machine for tasks (default: one per core)" });

/** The options of a command that runs a study. */
export const engineOptions = (): Option[] => [
  option("--engine <name>", `how tasks run: ${ENGINES.join(", ")} (docs/engines.md)`, oneOf(ENGINES)).default("local"),
  shardOption(),
  redisOption(),
  option("--jobs <n>", "with the engine slurm: number of jobs in the array", whole(1, 8)),
  threadsOption(),
];

const NEEDED: Readonly<Record<EngineFlags["engine"], "shard" | "redis" | "jobs" | undefined>> = {
  ...{ local: undefined, shard: "shard", bullmq: "redis", slurm: "jobs" },
};

/** The engine of the flags.
 * @throws DynnError 'cli/usage' when options do not fit together */
export function engineOf({ engine, shard: share, redis, jobs }: EngineFlags): EngineChoice {
  const needed = NEEDED[engine];
  const given = { shard: share, redis, jobs };
  if (needed !== undefined && given[needed] === undefined) throw unfit(`--engine ${engine} needs --${needed}`, engine);
  if (share !== undefined && engine !== "shard") throw unfit(`--shard does not go with --engine ${engine}`, engine);
  if (jobs !== undefined && engine !== "slurm") throw unfit(`--jobs does not go with --engine ${engine}`, engine);
  if (engine === "shard" && share) return { name: "shard", ...share };
  if (engine === "bullmq" && redis !== undefined) return { name: "bullmq", redis };
  if (engine === "slurm" && jobs !== undefined) return { name: "slurm", jobs };
  return { name: "local" };
}

const unfit = (what: string, engine: string): DynnError =>
  new DynnError("cli/usage", `${what}. See docs/engines.md for the options of each engine.`, { engine });

/** The threads of the flags. */
export const threadsOf = ({ threads = availableParallelism() }: Pick<EngineFlags, "threads">): number => threads;
