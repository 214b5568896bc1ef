/** @file The engine `bullmq`: tasks whose inputs are done go into a queue on Redis, and workers on
 *  any machine take them. The store says what is done, so a lost queue is filled again. */
import type { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import type { TaskEnd, TaskEngine } from "../../../studies/tasks/conduct.js";
import { CORES, type TaskKind } from "../../../studies/tasks/kind.js";
import type { KeyedTask } from "../../../studies/tasks/schedule.js";
import type { TaskKey } from "../../../studies/tasks/task.js";
import { coresOf } from "../slots.js";
import { briefly, checkRedis, connect, type QueuePackages, queueName, queuePackages } from "./redis.js";

/** Tries of a job. A task that fails by itself is not tried again. */
const ATTEMPTS = 3;
/** Milliseconds between two looks whether the queue has lost jobs. */
const CHECK_MS = 5000;
/** Tasks that are in the queue at a time. */
const MOST_QUEUED = 2000;

type Cores = TaskKind["cores"];

/** A job that waits for its end. */
interface Waiting {
  readonly ready: KeyedTask;
  readonly resolve: (end: TaskEnd) => void;
  readonly onProgress: (share: number) => void;
}

/** What a coordinator needs. */
export interface QueueOptions {
  readonly redis: string;
  readonly storeId: string;
  readonly list: TaskKey;
  /** Milliseconds between two looks whether the queue has lost jobs. */
  readonly checkMs?: number | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/** Puts tasks into queues and waits for their ends. */
export class QueueCoordinator implements TaskEngine {
  readonly #queues: Readonly<Record<Cores, Queue>>;
  readonly #events: readonly QueueEvents[];
  readonly #clients: readonly Redis[];
  readonly #waiting = new Map<TaskKey, Waiting>();
  readonly #timer: NodeJS.Timeout;
  readonly #fresh: KeyedTask[] = [];
  #isLost = false;
  #isChecking = false;

  private constructor(
    packages: QueuePackages,
    private readonly options: QueueOptions,
  ) {
    const client = connect(packages, options.redis, () => this.#lost());
    client.on("ready", () => this.#found());
    const listening = CORES.map(() => connect(packages, options.redis, () => undefined));
    this.#clients = [client, ...listening];
    const queue = (cores: Cores) =>
      quiet(new packages.Queue(queueName(options.storeId, cores), { connection: client }));
    this.#queues = { one: queue("one"), own: queue("own"), all: queue("all") };
    this.#events = CORES.map((cores, i) =>
      this.#listen(new packages.QueueEvents(queueName(options.storeId, cores), { connection: listening[i] })),
    );
    this.#timer = setInterval(() => void this.#check(), options.checkMs ?? CHECK_MS);
  }

  /** Connects to Redis.
   * @throws DynnError 'store/unreachable', 'study/worker' */
  static async open(options: QueueOptions): Promise<QueueCoordinator> {
    const packages = await queuePackages();
    await checkRedis(packages, options.redis);
    return new QueueCoordinator(packages, options);
  }

  /** A measurement of time would wait for a training, and all else for the measurement. */
  readonly takes = ({ task }: KeyedTask): boolean => {
    if (coresOf(task) === "all" && this.#trains()) return false;
    return this.#waiting.size < MOST_QUEUED;
  };

  readonly #trains = (): boolean => [...this.#waiting.values()].some(({ ready }) => coresOf(ready.task) === "own");

  readonly run = (ready: KeyedTask, signal: AbortSignal, onProgress: (share: number) => void): Promise<TaskEnd> =>
    new Promise((resolve) => {
      this.#waiting.set(ready.key, { ready, resolve, onProgress });
      signal.addEventListener("abort", () => this.#end(ready.key, { end: "stopped" }), { once: true });
      if (this.#fresh.push(ready) === 1) setImmediate(() => void this.#addAll(this.#fresh.splice(0)));
    });

  /** Takes the jobs back that no worker has begun, and leaves Redis. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const queue of Object.values(this.#queues)) await briefly(queue.drain());
    for (const one of [...Object.values(this.#queues), ...this.#events]) await briefly(one.close());
    for (const client of this.#clients) client.disconnect();
  }

  #listen(events: QueueEvents): QueueEvents {
    quiet(events);
    events.on("completed", ({ jobId, returnvalue }) => this.#end(jobId, { end: "done", seconds: Number(returnvalue) }));
    events.on("failed", ({ jobId, failedReason }) =>
      this.#end(jobId, { end: "failed", reason: inWords(failedReason) }),
    );
    events.on("progress", ({ jobId, data }) => this.#waiting.get(jobId)?.onProgress(Number(data)));
    return events;
  }

  #end(key: string, end: TaskEnd): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.resolve(end);
  }

  /** Redis keeps one job per key, so a job that is there stays. */
  async #addAll(tasks: readonly KeyedTask[]): Promise<void> {
    for (const cores of CORES) {
      const jobs = tasks
        .filter(({ task }) => coresOf(task) === cores)
        .map(({ key }) => ({
          name: this.options.list,
          data: key,
          opts: { jobId: key, attempts: ATTEMPTS, removeOnComplete: true, removeOnFail: true },
        }));
      if (jobs.length > 0) await this.#queues[cores].addBulk(jobs).catch(() => undefined);
    }
  }

  /** Adds jobs again when the queue has fewer than it should. */
  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      const counts = await Promise.all(Object.values(this.#queues).map((queue) => queue.getJobCounts()));
      const queued = counts.flatMap((count) => Object.values(count)).reduce((a, b) => a + b, 0);
      if (queued < this.#waiting.size) await this.#addAll([...this.#waiting.values()].map(({ ready }) => ready));
    } catch {
      // Without Redis there is nothing to count. The next look comes soon.
    } finally {
      this.#isChecking = false;
    }
  }

  #lost(): void {
    if (!this.#isLost) this.options.onNotice?.("Redis is lost. Finished tasks stay; waiting for it to come back.");
    this.#isLost = true;
  }

  #found(): void {
    if (this.#isLost) this.options.onNotice?.("Redis is back.");
    this.#isLost = false;
  }
}

/** An error event that nobody hears would end the process. The connection says when it is lost. */
function quiet<T extends { on(event: "error", heard: () => void): unknown }>(one: T): T {
  one.on("error", () => undefined);
  return one;
}

const inWords = (reason: string): string =>
  /stalled more than/.test(reason) ? "its workers were lost, or it ended them, 2 times" : reason;
