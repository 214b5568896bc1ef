/** @file Joins requests to batches. A request waits for other requests, then all that fit run
 *  together.
 *  A request is never divided. Requests that fail together run again alone, so that one bad request
 *  does not fail the others. */

import type { Routed } from "../../dynamic/route/route.js";
import { type Rows, takeFirst } from "../../dynamic/run/executor/rows.js";

export interface BatcherOptions {
  /** The most samples in one run, and in one request. */
  readonly most: number;
  /** Milliseconds that a request waits for other requests. */
  readonly windowMs: number;
  /** @returns one answer per row, in order */
  readonly run: (rows: Rows) => Promise<readonly Routed[]>;
}

interface Waiting {
  readonly rows: Rows;
  readonly since: number;
  readonly resolve: (answers: readonly Routed[]) => void;
  readonly reject: (reason: unknown) => void;
  /** Whether the client has stopped waiting for the answer. */
  abandoned: boolean;
}

export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Waiting[] = [];
  #working: Promise<void> | undefined;
  /** Checks again whether a batch should run now. */
  #arrived: (() => void) | undefined;
  #hurried = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** The answers of one request, in the order of its rows.
   * @param signal takes the request out of the queue
   * @throws the error of the run, or the signal's reason */
  async submit(rows: Rows, signal?: AbortSignal): Promise<readonly Routed[]> {
    signal?.throwIfAborted();
    let abandon = () => {};
    try {
      return await new Promise((resolve, reject) => {
        const entry: Waiting = { rows, since: performance.now(), resolve, reject, abandoned: false };
        abandon = () => {
          this.#queue = this.#queue.filter((waiting) => waiting !== entry);
          entry.abandoned = true;
          this.#arrived?.();
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", abandon);
        this.#queue.push(entry);
        this.#arrived?.();
        this.#working ??= this.#work();
      });
    } finally {
      signal?.removeEventListener("abort", abandon);
    }
  }

  /** From now on, no request waits for other requests. */
  hurry(): void {
    this.#hurried = true;
    this.#arrived?.();
  }

  /** Resolves when every request is answered. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#waitForMore();
      const batch = this.#take();
      if (batch.length > 0) await this.#run(batch);
    }
    this.#working = undefined;
  }

  /** Wait until a batch is full, every request is abandoned, or the first request has waited long
   * enough. */
  #waitForMore(): Promise<void> {
    const { most, windowMs } = this.#options;
    const [first] = this.#queue as [Waiting];
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#arrived = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, first.since + windowMs - performance.now()));
      this.#arrived = () => {
        if (this.#hurried || this.#queue.length === 0 || countOf(this.#queue) >= most) done();
      };
      this.#arrived();
    });
  }

  /** The requests that have waited longest, as many as fit into a batch. */
  #take(): readonly Waiting[] {
    let [fit, samples] = [0, 0];
    for (const { rows } of this.#queue) {
      samples += rows.tickets.length;
      if (samples > this.#options.most) break;
      fit++;
    }
    return this.#queue.splice(0, fit);
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    try {
      const rows = takeFirst(
        batch.map((waiting) => waiting.rows),
        countOf(batch),
      );
      const answers = await this.#options.run(rows);
      let at = 0;
      for (const { rows: own, resolve } of batch) {
        const end = at + own.tickets.length;
        resolve(answers.slice(at, end));
        at = end;
      }
    } catch (reason) {
      if (batch.length === 1) batch[0]?.reject(reason);
      else for (const waiting of batch) if (!waiting.abandoned) await this.#run([waiting]);
    }
  }
}

const countOf = (queue: readonly Waiting[]): number => queue.reduce((sum, { rows }) => sum + rows.tickets.length, 0);
