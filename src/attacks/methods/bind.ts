/** @file Fixes the parameters of a method, and lets the runner see every method alike: one search
 *  for the tasks of its scope. */

import type { Victim } from "../goals/victim.js";
import { queryTask, restrict } from "../oracle/restrict.js";
import type { Parameters, Values } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import type { Method, MethodDef, Task } from "./method.js";
import { type Passing, passingGates } from "./through.js";

/** The method with these values, against this victim. */
export function bind(name: string, def: MethodDef, values: Values<Parameters>, { victim, passing }: Against): Method {
  const start: Method["start"] = (tasks) =>
    def.scope === "set" ? def.start(tasks, values) : single(searchOf(def, tasks[0], values, victim));
  return {
    name,
    access: def.access,
    scope: def.scope,
    retriesVanished: def.retriesVanished === true,
    start: passing ? passingGates(start, passing) : start,
  };
}

/** What a method runs against. */
interface Against {
  readonly victim: Victim;
  /** How gradients pass gates. Undefined where none asks its score. */
  readonly passing: Passing | undefined;
}

/** The search of one method for one task. A query method sees only what its access shows. */
export function searchOf(
  def: Exclude<MethodDef, { scope: "set" }>,
  task: Task,
  values: Values<Parameters>,
  victim: Victim,
): Search {
  if (def.access === "gradient") return def.start(task, values, victim);
  const known = queryTask(task, victim.model.classes);
  if (def.access === "scores") return restrict(def.start(known, values), task, "scores", victim);
  if (def.access === "label") return restrict(def.start(known, values), task, "label", victim);
  return restrict(def.start(known, values), task, "cost", victim);
}

function* single(search: Search): Search<readonly FoundImage[]> {
  return [yield* search];
}
