/** @file A worker of the engine `bullmq`: it takes tasks from the queue of a store, and runs
 *  them in child processes of this machine. */
import type { Job, Worker } from "bullmq";
import { DynnError, reasonOf } from "../../../core/errors.js";
import type { TaskEnd } from "../../../studies/tasks/conduct.js";
import type { TaskGraph } from "../../../studies/tasks/graph.js";
import { CORES } from "../../../studies/tasks/kind.js";
import { graphOf, readList } from "../../../studies/tasks/list.js";
import { type KeyedTask, MOST_DEATHS } from "../../../studies/tasks/schedule.js";
import type { TaskKey } from "../../../studies/tasks/task.js";
import { openStore } from "../../store/open.js";
import type { SharedStore } from "../../store/shared.js";
import { TaskPool } from "../pool.js";
import type { Place } from "../protocol.js";
import { briefly, checkRedis, connect, type QueuePackages, queueName, queuePackages } from "./redis.js";

/** Times of the queue, in milliseconds. */
export interface QueueTimes {
  /** A worker that is silent for so long has lost its tasks. */
  readonly lockMs: number;
  /** Between two looks for lost tasks. */
  readonly stalledMs: number;
}

const TIMES: QueueTimes = { lockMs: 120_000, stalledMs: 30_000 };

export interface WorkerRun extends Place {
  readonly redis: string;
  readonly threads: number;
  /** Stops the worker: its tasks go back into the queue. */
  readonly signal: AbortSignal;
  /** A task ended here. */
  readonly onTask?: ((ready: KeyedTask, end: TaskEnd) => void) | undefined;
  readonly times?: QueueTimes | undefined;
}

/** Runs tasks until the signal.
 * @throws DynnError of the store or of Redis; tasks that this worker had go back into the queue */
export async function runWorker(run: WorkerRun): Promise<void> {
  const packages = await queuePackages();
  await checkRedis(packages, run.redis);
  const store = await openStore(run.store);
  const worker = new QueueWorker(packages, store, run);
  await worker.untilStopped();
}

class QueueWorker {
  readonly #pool: TaskPool;
  readonly #graphs = new Map<TaskKey, Promise<TaskGraph>>();
  readonly #stop = new AbortController();
  #broken: Error | undefined;

  constructor(
    private readonly packages: QueuePackages,
    private readonly store: SharedStore,
    private readonly run: WorkerRun,
  ) {
    this.#pool = new TaskPool(run, run.threads);
    run.signal.addEventListener("abort", () => this.#stop.abort());
    if (run.signal.aborted) this.#stop.abort();
  }

  async untilStopped(): Promise<void> {
    const client = connect(this.packages, this.run.redis, () => undefined);
    const workers = CORES.map((cores) => this.#worker(cores, cores === "one" ? this.run.threads : 1, client));
    if (!this.#stop.signal.aborted)
      await new Promise((resolve) => this.#stop.signal.addEventListener("abort", resolve, { once: true }));
    await Promise.all(workers.map((worker) => briefly(worker.close(), 40_000)));
    this.#pool.close();
    client.disconnect();
    if (this.#broken) throw this.#broken;
  }

  #worker(cores: (typeof CORES)[number], concurrency: number, connection: ReturnType<typeof connect>): Worker {
    const { lockMs, stalledMs } = this.run.times ?? TIMES;
    const name = queueName(this.store.id, cores);
    const worker = new this.packages.Worker(name, (job, token) => this.#process(job, token), {
      ...{ connection, concurrency, maxStalledCount: MOST_DEATHS - 1 },
      ...{ lockDuration: lockMs, stalledInterval: stalledMs },
      ...{ removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
    });
    worker.on("error", () => undefined);
    return worker;
  }

  async #process(job: Job<string>, token: string | undefined): Promise<number> {
    const ready = await this.#taskOf(job);
    if ((await this.store.done([ready.key])).has(ready.key)) return 0;
    const end = await this.#pool.run(job.name, ready, this.#stop.signal, (share) => {
      job.updateProgress(share).catch(() => undefined);
    });
    this.run.onTask?.(ready, end);
    if (end.end === "done") return end.seconds ?? 0;
    if (end.end === "failed") throw new this.packages.UnrecoverableError(end.reason);
    if (end.end === "died") throw this.#death(job, end.reason);
    if (end.end === "broken") this.#breakWith(end.error);
    await job.moveToWait(token);
    throw new this.packages.WaitingError();
  }

  /** The first death of a task counts as a try of its job. */
  #death(job: Job, reason: string): Error {
    if (job.attemptsMade + 1 < MOST_DEATHS) return new Error(reason);
    return new this.packages.UnrecoverableError(`it ended its worker ${MOST_DEATHS} times (${reason})`);
  }

  #breakWith(error: Error): void {
    this.#broken ??= error;
    this.#stop.abort();
  }

  async #taskOf(job: Job<string>): Promise<KeyedTask> {
    try {
      const graph = this.#graphs.get(job.name) ?? readList(job.name, this.store).then(graphOf);
      this.#graphs.set(job.name, graph);
      return { key: job.data, task: (await graph).get(job.data) };
    } catch (error) {
      this.#graphs.delete(job.name);
      throw error instanceof DynnError ? error : new this.packages.UnrecoverableError(reasonOf(error));
    }
  }
}
