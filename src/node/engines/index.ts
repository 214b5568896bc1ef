/** @file Runs a study: its tasks, in their order, by the chosen engine. */
import { availableParallelism } from "node:os";
import { type ConductOptions, conduct, type StudyEnd } from "../../studies/tasks/conduct.js";
import { graphOf, publishList, type TaskList } from "../../studies/tasks/list.js";
import { openStore } from "../store/open.js";
import { localEngine } from "./local.js";
import { TaskPool } from "./pool.js";

/** How the tasks are run. */
export type EngineChoice = { readonly name: "local" };

export interface StudyRun extends Omit<ConductOptions, "pollMs"> {
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
export async function runStudy({ list, store: spec, root, threads, ...options }: StudyRun): Promise<StudyEnd> {
  const store = await openStore(spec);
  const key = await publishList(list, store);
  const pool = new TaskPool({ store: spec, root }, threads ?? availableParallelism());
  try {
    return await conduct(graphOf(list), store, localEngine(key, pool), options);
  } finally {
    pool.close();
  }
}
