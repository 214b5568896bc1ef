/** @file Runs the tasks of a published list by the chosen engine. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type ConductOptions, conduct, type StudyEnd } from "../../studies/tasks/conduct.js";
import type { TaskGraph } from "../../studies/tasks/graph.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import type { SharedStore } from "../store/shared.js";
import { Claims } from "./claims.js";
import { localEngine } from "./local.js";
import { TaskPool } from "./pool.js";
import { QueueCoordinator } from "./queue/coordinator.js";
import { type Shard, shardEngine } from "./shard.js";
import { runSlurm } from "./slurm.js";

/** How the tasks are run. */
export type EngineChoice =
  | { readonly name: "local" }
  | ({ readonly name: "shard" } & Shard)
  | { readonly name: "bullmq"; readonly redis: string; readonly checkMs?: number | undefined }
  | { readonly name: "slurm"; readonly jobs: number };

/** How a study is run. */
export interface Run extends ConductOptions {
  /** Default: local. */
  readonly engine?: EngineChoice | undefined;
  /** The folder that relative paths of the list start from. */
  readonly root: string;
  /** What the engine has to say that is not about one task, such as a lost queue. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Threads of this machine that tasks may take. Default: one per core. */
  readonly threads?: number | undefined;
}

/** A list that a store has. */
export interface Published {
  readonly key: TaskKey;
  readonly graph: TaskGraph;
  readonly store: SharedStore;
  readonly spec: string;
}

/** Milliseconds between two looks at what other processes have done. A bucket answers slowly. */
const pollMsOf = ({ folder }: SharedStore): number => (folder === undefined ? 5000 : 1000);

/** Runs the tasks of a published list. */
export function runPublished(published: Published, { engine = { name: "local" }, ...run }: Run): Promise<StudyEnd> {
  if (engine.name === "bullmq") return runQueued(published, engine, run);
  if (engine.name === "slurm") return runArray(published, engine, run);
  return runHere(published, engine, run);
}

async function runHere(
  { key, graph, store, spec }: Published,
  engine: { readonly name: "local" } | ({ readonly name: "shard" } & Shard),
  { root, threads = availableParallelism(), ...options }: Run,
): Promise<StudyEnd> {
  const pool = new TaskPool({ store: spec, root }, threads);
  const claims = engine.name === "shard" && store.folder ? await Claims.open(store.folder) : undefined;
  try {
    if (engine.name === "local") return await conduct(graph, store, localEngine(key, pool), options);
    const shard = shardEngine({ list: key, pool, store, claims }, engine);
    return await conduct(graph, store, shard, { pollMs: pollMsOf(store), ...options });
  } finally {
    pool.close();
    await claims?.close();
  }
}

async function runQueued(
  { key, graph, store }: Published,
  { redis, checkMs }: { readonly redis: string; readonly checkMs?: number | undefined },
  { onNotice, ...options }: Run,
): Promise<StudyEnd> {
  const queue = await QueueCoordinator.open({ redis, storeId: store.id, list: key, checkMs, onNotice });
  try {
    return await conduct(graph, store, queue, { pollMs: pollMsOf(store), ...options });
  } finally {
    await queue.close();
  }
}

async function runArray(
  { key, graph, store, spec }: Published,
  { jobs }: { readonly jobs: number },
  { root, threads = 1, signal }: Run,
): Promise<StudyEnd> {
  const keys = graph.all().map(({ key: one }) => one);
  const isDone = async () => store.done(keys);
  if ((await isDone()).size === keys.length) return { done: await isDone(), setAside: [] };
  const folder = join(store.folder ?? root, "slurm");
  const logs = await runSlurm({ list: key, store: spec, root, jobs, threads, folder }, signal);
  const done = await isDone();
  const reason = `no job of the array did it; the logs in ${logs} say why`;
  const open = graph.all().filter(({ key: one }) => !done.has(one));
  return { done, setAside: open.map((one) => ({ ...one, reason })) };
}
