/** @file Shares the threads of a machine between tasks. A task on one core takes one of them, and a
 *  measurement of time takes all. */
import type { TaskKind } from "../../studies/tasks/kind.js";
import { TASK_KINDS } from "../../studies/tasks/table.js";
import type { Task } from "../../studies/tasks/task.js";

const kindNamed = ({ kind }: Pick<Task, "kind">): TaskKind | undefined =>
  Object.hasOwn(TASK_KINDS, kind) ? TASK_KINDS[kind] : undefined;

/** The cores that a task works on. A kind that is not known fails before it works. */
export const coresOf = (task: Pick<Task, "kind">): TaskKind["cores"] => kindNamed(task)?.cores ?? "one";

/** What a task is to those who share threads. */
type Sized = Pick<Task, "kind" | "parameters">;

/** Threads that are free or taken. Those who wait get them in the order in which they came. */
export class Slots {
  #free: number;
  readonly #waiting: { readonly need: number; readonly go: () => void }[] = [];

  constructor(readonly total: number) {
    this.#free = total;
  }

  /** The threads that a task takes. */
  need(task: Sized): number {
    return Math.min(this.total, this.threads(task));
  }

  /** The threads of a task's engine. A training keeps its number on a machine with fewer too,
   * because it decides the last bits. */
  threads(task: Sized): number {
    const cores = coresOf(task);
    if (cores === "own") return kindNamed(task)?.threads?.(task.parameters) ?? 1;
    return cores === "all" ? this.total : 1;
  }

  /** Whether so many threads are free, and nobody waits for them. */
  has(need: number): boolean {
    return this.#waiting.length === 0 && need <= this.#free;
  }

  /** Takes threads, at once when they are free. */
  take(need: number): Promise<void> | undefined {
    if (!this.has(need)) return new Promise((go) => this.#waiting.push({ need, go }));
    this.#free -= need;
    return undefined;
  }

  give(need: number): void {
    this.#free += need;
    for (let first = this.#waiting[0]; first && first.need <= this.#free; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= first.need;
      first.go();
    }
  }
}
