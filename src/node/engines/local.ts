/** @file The engine `local`: tasks run in child processes of this machine. */
import type { TaskEngine } from "../../studies/tasks/conduct.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import type { TaskPool } from "./pool.js";
import { coresOf } from "./slots.js";

/** Runs tasks of a list in a pool. Measurements of time come when nothing else can run. */
export const localEngine = (list: TaskKey, pool: TaskPool): TaskEngine => ({
  takes: (ready) => pool.takes(ready),
  rank: ({ task }) => (coresOf(task) === "all" ? 1 : 0),
  run: (ready, signal, onProgress) => pool.run(list, ready, signal, onProgress),
});
