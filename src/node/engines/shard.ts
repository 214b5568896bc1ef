/** @file The engine `shard`: several processes share a store and no server. Each does its own share
 *  of the tasks first, and then what is missing. */

import type { TaskEnd, TaskEngine } from "../../studies/tasks/conduct.js";
import { MOST_DEATHS } from "../../studies/tasks/schedule.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import type { Claims } from "./claims.js";
import type { TaskPool } from "./pool.js";
import { coresOf } from "./slots.js";

/** One of several equal shares of a study. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** Whether a task belongs to a share. */
export const isIn = (key: TaskKey, { index, count }: Shard): boolean =>
  Number.parseInt(key.slice(0, 12), 16) % count === index - 1;

/** What a process shares a study by. */
export interface Sharing {
  readonly list: TaskKey;
  readonly pool: TaskPool;
  readonly store: Pick<TaskStore, "done">;
  /** Left out for a store without a folder: two processes may then do the same task. */
  readonly claims: Claims | undefined;
}

/** Runs the tasks of a share, and then tasks of others that nobody works on. */
export const shardEngine = ({ list, pool, store, claims }: Sharing, shard: Shard): TaskEngine => ({
  takes: (ready) => pool.takes(ready),
  rank: ({ key, task }) => (isIn(key, shard) ? 0 : 2) + (coresOf(task) === "all" ? 1 : 0),
  run: async (ready, signal, onProgress) => {
    const work = () => pool.runHeld(list, ready, signal, onProgress);
    return pool.holding(ready, async () => (claims ? claimed({ claims, store }, ready.key, work) : work()));
  },
});

async function claimed(
  { claims, store }: { readonly claims: Claims; readonly store: Sharing["store"] },
  key: TaskKey,
  work: () => Promise<TaskEnd>,
): Promise<TaskEnd> {
  try {
    const got = await claims.take(key);
    if (got === "held") return { end: "stopped" };
    if (got === "deadly") return { end: "failed", reason: `it ended ${MOST_DEATHS} workers of this study` };
    const end: TaskEnd = (await store.done([key])).has(key) ? { end: "found" } : await work();
    await claims.release(key, end.end === "died");
    return end;
  } catch (error) {
    return { end: "broken", error: error instanceof Error ? error : new Error(String(error)) };
  }
}
