/** @file The tasks of a command, with what its user reads while they run. */
import { TaskGraph } from "./graph.js";
import type { Task, TaskKey } from "./task.js";

/** Tasks with their phases. A task without a phase is short, and its progress is not shown.
 * @example
 * const plan = new CommandPlan();
 * const clean = plan.add(answersTask(network, data), "clean images");
 * plan.phaseOf(clean); // "clean images" */
export class CommandPlan {
  readonly graph = new TaskGraph();
  readonly #phases = new Map<TaskKey, string>();

  /** Adds a task, unless it is there.
   * @returns its key */
  add(task: Task, phase?: string): TaskKey {
    const key = this.graph.add(task);
    if (phase !== undefined) this.#phases.set(key, phase);
    return key;
  }

  /** What the user reads while a task runs. */
  phaseOf(key: TaskKey): string | undefined {
    return this.#phases.get(key);
  }
}
