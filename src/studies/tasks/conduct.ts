/** @file Runs the tasks of a study in their order. The store alone says what is done, so a run can
 *  be stopped or killed at any time and started again. Engines differ in how a task is run. */
import type { TaskGraph } from "./graph.js";
import { type KeyedTask, Schedule, type SetAside } from "./schedule.js";
import type { TaskStore } from "./store.js";
import type { TaskKey } from "./task.js";

/** How the run of a task ended. */
export type TaskEnd =
  | { readonly end: "done"; readonly seconds?: number | undefined }
  /** Another process has done it. */
  | { readonly end: "found" }
  /** The task throws whenever it runs. */
  | { readonly end: "failed"; readonly reason: string }
  /** The task ended its worker, for example for want of memory. */
  | { readonly end: "died"; readonly reason: string }
  /** The task was stopped, or another process works on it. It can run again. */
  | { readonly end: "stopped" }
  /** No task can run, for example because the store is full. */
  | { readonly end: "broken"; readonly error: Error };

/** What runs single tasks: child processes, or a queue. */
export interface TaskEngine {
  /** Whether it would run this task now. */
  readonly takes: (ready: KeyedTask) => boolean;
  /** The tasks with the smallest number are run first. Left out: the order of the graph. */
  readonly rank?: ((ready: KeyedTask) => number) | undefined;
  /** Runs a task that it takes. It does not reject.
   * @param signal aborted when the task shall stop */
  readonly run: (ready: KeyedTask, signal: AbortSignal, onProgress: (share: number) => void) => Promise<TaskEnd>;
}

/** News of one task. */
export interface TaskNews extends KeyedTask {
  readonly end: TaskEnd["end"];
  readonly reason?: string | undefined;
  readonly seconds?: number | undefined;
  /** Whether the task will not be tried again in this run. */
  readonly setAside: boolean;
  /** Number of done tasks. */
  readonly done: number;
  readonly total: number;
}

/** How far a study is. */
export interface StudyProgress {
  readonly done: number;
  readonly total: number;
  /** Tasks that run, with the share of their work that is done, 0 to 1. */
  readonly running: ReadonlyMap<TaskKey, number>;
}

export interface ConductOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two looks at what others have done. Left out: nobody else works. */
  readonly pollMs?: number | undefined;
  readonly onTask?: ((news: TaskNews) => void) | undefined;
  readonly onProgress?: ((progress: StudyProgress) => void) | undefined;
}

/** What came out of a run. */
export interface StudyEnd {
  readonly done: ReadonlySet<TaskKey>;
  readonly setAside: readonly SetAside[];
}

/** Runs all tasks that are not done.
 * @throws DynnError of the store, and the reason of the signal. Tasks that are done stay done. */
export function conduct(
  graph: TaskGraph,
  store: Pick<TaskStore, "done">,
  engine: TaskEngine,
  options: ConductOptions = {},
): Promise<StudyEnd> {
  return new Conductor(graph, store, engine, options).run();
}

class Conductor {
  readonly #schedule: Schedule;
  readonly #stops = new Map<TaskKey, AbortController>();
  readonly #ends = new Map<TaskKey, Promise<void>>();
  readonly #shares = new Map<TaskKey, number>();
  /** Tasks that others work on, with the time of the next try. */
  readonly #resting = new Map<TaskKey, number>();
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(
    private readonly graph: TaskGraph,
    private readonly store: Pick<TaskStore, "done">,
    private readonly engine: TaskEngine,
    private readonly options: ConductOptions,
  ) {
    this.#schedule = new Schedule(graph);
  }

  async run(): Promise<StudyEnd> {
    const { signal, pollMs } = this.options;
    const stop = (): void => this.#wake();
    signal?.addEventListener("abort", stop);
    const timer = pollMs === undefined ? undefined : setInterval(() => void this.#look(), pollMs);
    try {
      await this.#look();
      await this.#untilOver();
    } finally {
      signal?.removeEventListener("abort", stop);
      clearInterval(timer);
      await this.#stopAll();
    }
    return { done: this.#schedule.done, setAside: this.#schedule.setAside() };
  }

  async #untilOver(): Promise<void> {
    for (;;) {
      this.options.signal?.throwIfAborted();
      if (this.#error) throw this.#error;
      if (this.#schedule.isOver) return;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#startAll();
      await woken;
    }
  }

  #looking = false;

  /** Asks the store what is done. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const key of await this.store.done(this.#schedule.open())) this.#found(key);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#looking = false;
      this.#tell();
      this.#wake();
    }
  }

  #found(key: TaskKey): void {
    this.#schedule.finish(key);
    this.#resting.delete(key);
    this.#stops.get(key)?.abort(new Error("another process has done this task"));
  }

  #startAll(): void {
    for (let next = this.#next(); next; next = this.#next()) this.#start(next);
  }

  #next(): KeyedTask | undefined {
    const { engine } = this;
    let best: { readonly ready: KeyedTask; readonly rank: number } | undefined;
    for (const ready of this.#schedule.ready()) {
      const rank = engine.rank?.(ready) ?? 0;
      if ((best && rank >= best.rank) || this.#rests(ready) || !engine.takes(ready)) continue;
      best = { ready, rank };
      if (rank <= 0) break;
    }
    return best?.ready;
  }

  readonly #rests = ({ key }: KeyedTask): boolean => (this.#resting.get(key) ?? 0) > performance.now();

  #start(ready: KeyedTask): void {
    const stop = new AbortController();
    this.#schedule.start(ready.key);
    this.#stops.set(ready.key, stop);
    const running = this.engine.run(ready, stop.signal, (share) => this.#share(ready.key, share));
    this.#ends.set(
      ready.key,
      running.then((end) => this.#ended(ready, end)),
    );
  }

  #share(key: TaskKey, share: number): void {
    this.#shares.set(key, share);
    this.#tell();
  }

  #ended(ready: KeyedTask, end: TaskEnd): void {
    const { key } = ready;
    for (const map of [this.#stops, this.#ends, this.#shares]) map.delete(key);
    const wasOpen = this.#schedule.running.has(key);
    const setAside = this.#finish(key, end);
    if (end.end !== "found" && (wasOpen || end.end === "done")) this.#report(ready, end, setAside);
    this.#wake();
  }

  /** @returns whether the task is set aside */
  #finish(key: TaskKey, end: TaskEnd): boolean {
    if (end.end === "done" || end.end === "found") this.#schedule.finish(key);
    if (!this.#schedule.running.has(key)) return false;
    if (end.end === "died") return this.#schedule.die(key, end.reason);
    if (end.end === "failed") this.#schedule.giveUp(key, end.reason);
    else this.#return(key);
    if (end.end === "broken") this.#error ??= end.error;
    return end.end === "failed";
  }

  #return(key: TaskKey): void {
    this.#schedule.handBack(key);
    if (this.options.pollMs !== undefined) this.#resting.set(key, performance.now() + this.options.pollMs);
  }

  #report({ key, task }: KeyedTask, end: TaskEnd, setAside: boolean): void {
    const reason = "reason" in end ? end.reason : undefined;
    const seconds = "seconds" in end ? end.seconds : undefined;
    const { size: done } = this.#schedule.done;
    this.options.onTask?.({ key, task, end: end.end, reason, seconds, setAside, done, total: this.graph.size });
    this.#tell();
  }

  #tell(): void {
    if (!this.options.onProgress) return;
    const { size: done } = this.#schedule.done;
    const running = new Map([...this.#schedule.running].map((key) => [key, this.#shares.get(key) ?? 0]));
    this.options.onProgress({ done, total: this.graph.size, running });
  }

  async #stopAll(): Promise<void> {
    for (const stop of this.#stops.values()) stop.abort(this.options.signal?.reason ?? this.#error);
    await Promise.all(this.#ends.values());
  }
}
