/** @file Does the work of one task, whatever becomes of its result. */
import { DynnError } from "../../core/errors.js";
import { Bench } from "./bench.js";
import type { TaskOutput } from "./content.js";
import type { TaskContext, TaskInputs, TaskKind } from "./kind.js";
import type { Task, TaskKey } from "./task.js";

/** The known kinds by name. */
export type Kinds = Readonly<Record<string, TaskKind>>;

/** Does the work of a task.
 * @returns its result, with its seconds
 * @throws DynnError 'study/version' when another version of dynn made the task, and the errors of
 *  the kind */
export async function perform(
  { key, task }: { readonly key: TaskKey; readonly task: Task },
  inputs: TaskInputs,
  context: TaskContext,
  kinds: Kinds,
): Promise<TaskOutput> {
  const kind = kindIn(kinds, task);
  const parameters = kind.parameters.parse(task.parameters);
  const bench = context.bench ?? new Bench(context);
  const started = context.now();
  try {
    const { files, facts } = await kind.run(key, parameters, inputs, { ...context, bench });
    const seconds = (context.now() - started) / 1000;
    return { files, facts: { seconds, version: context.version, ...facts } };
  } finally {
    if (!context.bench) await bench.release();
  }
}

/** The kind of a task.
 * @throws DynnError 'study/version' */
export function kindIn(kinds: Kinds, task: Pick<Task, "kind" | "version">): TaskKind {
  const kind = Object.hasOwn(kinds, task.kind) ? kinds[task.kind] : undefined;
  if (kind?.version === task.version) return kind;
  throw new DynnError(
    "study/version",
    `task ${task.kind}, version ${task.version}: this version of dynn has ${kind ? `version ${kind.version} of it` : "no such kind"}. Use the version of dynn that made the plan, or make the plan again.`,
    { kind: task.kind, version: task.version },
  );
}
