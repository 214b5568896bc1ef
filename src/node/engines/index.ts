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
import { type Shard, shardEngine } from "./shard.js";

/** How the tasks are run. */
export type EngineChoice = { readonly name: "local" } | ({ readonly name: "shard" } & Shard);

export interface StudyRun extends ConductOptions {
  readonly list: TaskList;
  /** The store, as `openStore` takes it. */
  readonly store: string;
  /** Default: local. */
  readonly engine?: EngineChoice | undefined;
  /** The folder that relative paths of the list start from. */
  readonly root: string;
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
async function runPublished(
  { key, graph, store, spec }: Published,
  { root, threads = availableParallelism(), engine = { name: "local" }, ...options }: Omit<StudyRun, "list" | "store">,
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
