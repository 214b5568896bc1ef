/** @file Runs a study: its tasks, in their order, by the chosen engine. */
import { availableParallelism } from "node:os";
import { type ConductOptions, conduct, type StudyEnd } from "../../studies/tasks/conduct.js";
import type { TaskGraph } from "../../studies/tasks/graph.js";
import { graphOf, publishList, type TaskList } from "../../studies/tasks/list.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { openStore } from "../store/open.js";
import type { SharedStore } from "../store/shared.js";
import { Claims } from "./claims.js";
import { localEngine } from "./local.js";
import { TaskPool } from "./pool.js";
import { QueueCoordinator } from "./queue/coordinator.js";
import { type Shard, shardEngine } from "./shard.js";

/** How the tasks are run. */
export type EngineChoice =
  | { readonly name: "local" }
  | ({ readonly name: "shard" } & Shard)
  | { readonly name: "bullmq"; readonly redis: string; readonly checkMs?: number | undefined };

export interface StudyRun extends ConductOptions {
  readonly list: TaskList;
  /** The store, as `openStore` takes it. */
  readonly store: string;
  /** Default: local. */
  readonly engine?: EngineChoice | undefined;
  /** The folder that relative paths of the list start from. */
  readonly root: string;
  /** What the engine has to say that is not about one task, such as a lost queue. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Threads of this machine that tasks may take. Default: one per core. */
  readonly threads?: number | undefined;
}

/** Runs the tasks of a list that the store does not have.
 * @returns the done tasks, and those that were set aside with the reason
 * @throws DynnError of the store, and the reason of the signal. Tasks that are done stay done.
 * @example
 * const { setAside } = await runStudy({ list, store: "study.store", root: "." });
 * for (const { task, reason } of setAside) console.log(task.kind, reason); */
export async function runStudy({ list, store: spec, ...run }: StudyRun): Promise<StudyEnd> {
  const store = await openStore(spec);
  const key = await publishList(list, store);
  return runPublished({ key, graph: graphOf(list), store, spec }, run);
}

/** A list that a store has. */
interface Published {
  readonly key: TaskKey;
  readonly graph: TaskGraph;
  readonly store: SharedStore;
  readonly spec: string;
}

/** Milliseconds between two looks at what other processes have done. */
const POLL_MS = 1000;

/** Runs the tasks of a published list. */
function runPublished(published: Published, { engine = { name: "local" }, ...run }: Run): Promise<StudyEnd> {
  if (engine.name === "bullmq") return runQueued(published, engine, run);
  return runHere(published, engine, run);
}

type Run = Omit<StudyRun, "list" | "store">;

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
    return await conduct(graph, store, shard, { pollMs: POLL_MS, ...options });
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
    return await conduct(graph, store, queue, { pollMs: POLL_MS, ...options });
  } finally {
    await queue.close();
  }
}
