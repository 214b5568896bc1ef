/** @file Runs a study: its tasks, in their order, by the chosen engine. */
import type { StudyEnd } from "../../studies/tasks/conduct.js";
import { graphOf, publishList, readList, type TaskList } from "../../studies/tasks/list.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { openStore } from "../store/open.js";
import { type Run, runPublished } from "./published.js";

export type { EngineChoice } from "./published.js";

export interface StudyRun extends Run {
  readonly list: TaskList;
  /** The store, as `openStore` takes it. */
  readonly store: string;
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

/** Runs the tasks of a list that is in the store, as a process on another machine does.
 * @throws DynnError as `runStudy`, and 'study/value' when the store has no such list */
export async function joinStudy({
  list,
  store: spec,
  ...run
}: Omit<StudyRun, "list"> & { readonly list: TaskKey }): Promise<StudyEnd> {
  const store = await openStore(spec);
  return runPublished({ key: list, graph: graphOf(await readList(list, store)), store, spec }, run);
}
