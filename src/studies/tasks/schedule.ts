/** @file What is done of a study, what can run, what runs, and what was set aside. */
import { inputsOf, type TaskGraph } from "./graph.js";
import type { Task, TaskKey } from "./task.js";

/** A task with its key. */
export interface KeyedTask {
  readonly key: TaskKey;
  readonly task: Task;
}

/** A task that was given up, or that needs such a task. */
export interface SetAside extends KeyedTask {
  readonly reason: string;
}

/** Workers that a task may kill. The task is then set aside. */
export const MOST_DEATHS = 2;

/** The states of all tasks. Every call takes time in proportion to the tasks that it changes.
 * @example
 * const schedule = new Schedule(graph);
 * const [next] = schedule.ready();
 * schedule.start(next.key);
 * schedule.finish(next.key); */
export class Schedule {
  readonly #graph: TaskGraph;
  readonly #missing = new Map<TaskKey, number>();
  readonly #users = new Map<TaskKey, TaskKey[]>();
  readonly #ready = new Map<TaskKey, KeyedTask>();
  readonly #running = new Set<TaskKey>();
  readonly #done = new Set<TaskKey>();
  readonly #deaths = new Map<TaskKey, number>();
  readonly #aside = new Map<TaskKey, string>();

  constructor(graph: TaskGraph) {
    this.#graph = graph;
    for (const { key, task } of graph.all()) {
      const inputs = new Set(inputsOf(task));
      this.#missing.set(key, inputs.size);
      for (const input of inputs) this.#use(input, key);
      if (inputs.size === 0) this.#ready.set(key, { key, task });
    }
  }

  #use(input: TaskKey, key: TaskKey): void {
    const users = this.#users.get(input);
    if (users) users.push(key);
    else this.#users.set(input, [key]);
  }

  get done(): ReadonlySet<TaskKey> {
    return this.#done;
  }

  get running(): ReadonlySet<TaskKey> {
    return this.#running;
  }

  /** Whether nothing runs and nothing can run. */
  get isOver(): boolean {
    return this.#ready.size === 0 && this.#running.size === 0;
  }

  /** The tasks that can run, in the order of the graph or of their return. */
  ready(): IterableIterator<KeyedTask> {
    return this.#ready.values();
  }

  /** The tasks that are neither done nor given up. */
  open(): TaskKey[] {
    return [...this.#missing.keys()].filter((key) => !this.#done.has(key) && !this.#aside.has(key));
  }

  /** A task that could run is running now. */
  start(key: TaskKey): void {
    if (!this.#ready.delete(key)) throw new Error(`bug: task ${key} cannot run`);
    this.#running.add(key);
  }

  /** A task is done, by whoever. */
  finish(key: TaskKey): void {
    if (this.#done.has(key) || !this.#missing.has(key)) return;
    this.#done.add(key);
    this.#remove(key);
    this.#aside.delete(key);
    for (const user of this.#users.get(key) ?? []) this.#oneLess(user);
  }

  /** A running task was not done, for a reason that is not its own. */
  handBack(key: TaskKey): void {
    if (this.#running.delete(key)) this.#ready.set(key, { key, task: this.#graph.get(key) });
  }

  /** A running task killed its worker.
   * @returns whether the task is set aside */
  die(key: TaskKey, reason: string): boolean {
    const deaths = (this.#deaths.get(key) ?? 0) + 1;
    this.#deaths.set(key, deaths);
    if (deaths < MOST_DEATHS) this.handBack(key);
    else this.giveUp(key, `it ended its worker ${deaths} times (${reason})`);
    return deaths >= MOST_DEATHS;
  }

  /** A task fails whenever it runs. */
  giveUp(key: TaskKey, reason: string): void {
    if (this.#done.has(key)) return;
    this.#remove(key);
    this.#aside.set(key, reason);
  }

  /** The tasks that were given up, and all tasks that need them. */
  setAside(): SetAside[] {
    const reasons = new Map(this.#aside);
    for (const { key, task } of this.#graph.all()) {
      const input = inputsOf(task).find((one) => reasons.has(one));
      if (input === undefined || reasons.has(key) || this.#done.has(key)) continue;
      reasons.set(key, `it needs task ${input.slice(0, 12)} (${this.#graph.get(input).kind}), which was set aside`);
    }
    return [...reasons].map(([key, reason]) => ({ key, task: this.#graph.get(key), reason }));
  }

  #remove(key: TaskKey): void {
    this.#ready.delete(key);
    this.#running.delete(key);
  }

  #oneLess(key: TaskKey): void {
    const missing = (this.#missing.get(key) ?? 0) - 1;
    this.#missing.set(key, missing);
    const isOpen = !this.#done.has(key) && !this.#aside.has(key);
    if (missing === 0 && isOpen) this.#ready.set(key, { key, task: this.#graph.get(key) });
  }
}
