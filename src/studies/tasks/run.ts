/** @file Runs one task: reads the results of its inputs, works, and publishes its own result. */
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import type { TaskContext, TaskInputs, TaskKind } from "./kind.js";
import type { Manifest, TaskStore } from "./store.js";
import { TASK_KINDS } from "./table.js";
import type { Task, TaskKey } from "./task.js";

/** Runs a task, unless the store has its result.
 * @param kinds the known kinds
 * @returns the manifest that stands in the store
 * @throws DynnError 'study/version' when another version of dynn made the task, and the errors of
 *  the kind and of the store */
export async function runTask(
  key: TaskKey,
  task: Task,
  store: TaskStore,
  context: TaskContext,
  kinds: Readonly<Record<string, TaskKind>> = TASK_KINDS,
): Promise<Manifest> {
  const known = await store.manifest(key);
  if (known) return known;
  const kind = kindOf(task, kinds);
  const parameters = kind.parameters.parse(task.parameters);
  const started = context.now();
  const result = await kind.run(key, parameters, inputsFrom(task, store), context);
  const seconds = (context.now() - started) / 1000;
  return store.publish(key, task, { ...result, facts: { seconds, version: context.version, ...result.facts } });
}

/** The kind of a task.
 * @throws DynnError 'study/version' */
export function kindOf(task: Pick<Task, "kind" | "version">, kinds = TASK_KINDS): TaskKind {
  const kind = Object.hasOwn(kinds, task.kind) ? kinds[task.kind] : undefined;
  if (kind?.version === task.version) return kind;
  throw new DynnError(
    "study/version",
    `task ${task.kind}, version ${task.version}: this version of dynn has ${kind ? `version ${kind.version} of it` : "no such kind"}. Use the version of dynn that made the plan, or make the plan again.`,
    { kind: task.kind, version: task.version },
  );
}

function inputsFrom({ inputs }: Task, store: TaskStore): TaskInputs {
  const manifests = (name: string): Promise<Manifest[]> =>
    Promise.all(
      (Object.hasOwn(inputs, name) ? inputs[name] : []).map(async (key) =>
        present(await store.manifest(key), `the result of input ${name}`),
      ),
    );
  return {
    manifests,
    files: async (name, file) => Promise.all((await manifests(name)).map((manifest) => store.file(manifest, file))),
  };
}
