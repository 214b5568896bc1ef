/** @file Child processes that run the tasks of this machine, as many at a time as it has
 *  threads. */
import { DynnError } from "../../core/errors.js";
import type { TaskEnd } from "../../studies/tasks/conduct.js";
import type { KeyedTask } from "../../studies/tasks/schedule.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import type { Place } from "./protocol.js";
import { coresOf, Slots } from "./slots.js";
import { TaskChild } from "./task-child.js";

/** Processes in a row that may end before they begin to work. */
const MOST_UNBORN = 3;

/** Processes are started when a task needs one, and kept for the next task. */
export class TaskPool {
  readonly slots: Slots;
  readonly #idle: TaskChild[] = [];
  readonly #busy = new Set<TaskChild>();
  #unborn = 0;
  /** Tasks that run with their own number of cores. */
  #own = 0;

  constructor(
    private readonly place: Place,
    threads: number,
  ) {
    this.slots = new Slots(threads);
  }

  /** Whether the threads for a task are free, and no other training runs. */
  takes({ task }: KeyedTask): boolean {
    if (coresOf(task) === "own" && this.#own > 0) return false;
    return this.slots.has(this.slots.need(task));
  }

  /** The numbers of the processes that work on a task. */
  get pids(): number[] {
    return [...this.#busy].flatMap(({ isReady, pid }) => (isReady && pid !== undefined ? [pid] : []));
  }

  /** Runs a task in a process of its own, once its threads are free. Does not reject. */
  run(list: TaskKey, ready: KeyedTask, signal: AbortSignal, onProgress?: (share: number) => void): Promise<TaskEnd> {
    return this.holding(ready, () => this.runHeld(list, ready, signal, onProgress));
  }

  /** Holds the threads of a task while something is done. */
  async holding<T>({ task }: KeyedTask, work: () => Promise<T>): Promise<T> {
    const need = this.slots.need(task);
    const own = coresOf(task) === "own" ? 1 : 0;
    this.#own += own;
    try {
      await this.slots.take(need);
      return await work().finally(() => this.slots.give(need));
    } finally {
      this.#own -= own;
    }
  }

  /** Runs a task whose threads are held. Does not reject. */
  async runHeld(
    list: TaskKey,
    { key, task }: KeyedTask,
    signal: AbortSignal,
    onProgress: (share: number) => void = () => undefined,
  ): Promise<TaskEnd> {
    const child = this.#take();
    const end = await child.run({ list, key, threads: this.slots.threads(task) }, signal, onProgress);
    this.#put(child);
    return this.#judged(end);
  }

  /** Ends all processes. Those that work are ended too. */
  close(): void {
    for (const child of this.#busy) child.kill();
    for (const child of this.#idle.splice(0)) child.quit();
  }

  #take(): TaskChild {
    for (let child = this.#idle.pop(); child; child = this.#idle.pop()) if (child.isAlive) return this.#used(child);
    return this.#used(new TaskChild(this.place));
  }

  #used(child: TaskChild): TaskChild {
    this.#busy.add(child);
    return child;
  }

  #put(child: TaskChild): void {
    this.#busy.delete(child);
    if (child.isAlive) this.#idle.push(child);
  }

  /** A process that ends before it works says nothing about the task. */
  #judged(end: Awaited<ReturnType<TaskChild["run"]>>): TaskEnd {
    this.#unborn = end.end === "unborn" ? this.#unborn + 1 : 0;
    if (end.end !== "unborn") return end;
    return this.#unborn < MOST_UNBORN ? { end: "stopped" } : { end: "broken", error: cannotStart(end.reason) };
  }
}

const cannotStart = (reason: string): DynnError =>
  new DynnError(
    "study/worker",
    `worker process: it ends before it begins to work (${reason}). Check the memory and the limits of this machine, and run the study again.`,
    { reason },
  );
