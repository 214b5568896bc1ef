/** @file Does the work of one task, whatever becomes of its result. */
import { Bench } from "./bench.js";
import type { TaskOutput } from "./content.js";
import type { TaskContext, TaskInputs, TaskKind } from "./kind.js";
import type { KeyedTask } from "./schedule.js";

/** The known kinds by name. */
export type Kinds = Readonly<Record<string, TaskKind>>;

/** Does the work of a task.
 * @returns its result, with its seconds
 * @throws the errors of the kind */
export async function perform(
  kind: TaskKind,
  { key, task }: KeyedTask,
  inputs: TaskInputs,
  context: TaskContext,
): Promise<TaskOutput> {
  const bench = context.bench ?? new Bench(context);
  const { version, machineName: machine } = context;
  const started = context.now();
  try {
    const parameters = kind.parameters.parse(task.parameters);
    const { files, facts } = await kind.run(key, parameters, inputs, { ...context, bench });
    const seconds = (context.now() - started) / 1000;
    return { files, facts: { seconds, version, ...(machine === undefined ? {} : { machine }), ...facts } };
  } finally {
    if (!context.bench) await bench.release();
  }
}
