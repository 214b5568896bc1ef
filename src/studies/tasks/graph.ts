/** @file The tasks of a study and their order. A task that two others need is in the graph once. */
import { keyOf, type Task, type TaskKey } from "./task.js";

/** Tasks by key. Each task comes behind its inputs.
 * @example
 * const graph = new TaskGraph();
 * const clean = graph.add({ kind: "answers", version: 1, parameters: {}, inputs: {} });
 * graph.add({ kind: "thresholds", version: 1, parameters: {}, inputs: { answers: [clean] } });
 * graph.ready(new Set()).map(({ key }) => key === clean); // [true] */
export class TaskGraph {
  readonly #tasks = new Map<TaskKey, Task>();

  /** Adds a task, unless it is there.
   * @returns its key
   * @throws Error, as a bug of dynn, when an input is not in the graph */
  add(task: Task): TaskKey {
    const key = keyOf(task);
    if (this.#tasks.has(key)) return key;
    for (const input of inputsOf(task))
      if (!this.#tasks.has(input)) throw new Error(`bug: task ${task.kind}: input ${input} is not in the graph`);
    this.#tasks.set(key, task);
    return key;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** The task of a key.
   * @throws Error, as a bug of dynn, when there is none */
  get(key: TaskKey): Task {
    const task = this.#tasks.get(key);
    if (!task) throw new Error(`bug: task ${key} is not in the graph`);
    return task;
  }

  /** All tasks, each behind its inputs. */
  all(): { readonly key: TaskKey; readonly task: Task }[] {
    return [...this.#tasks].map(([key, task]) => ({ key, task }));
  }

  /** The tasks that can run: not done, and with all inputs done. */
  ready(done: ReadonlySet<TaskKey>): { readonly key: TaskKey; readonly task: Task }[] {
    return this.all().filter(({ key, task }) => !done.has(key) && inputsOf(task).every((input) => done.has(input)));
  }
}

/** The keys of all inputs of a task. */
export const inputsOf = ({ inputs }: Pick<Task, "inputs">): TaskKey[] => Object.values(inputs).flat();
