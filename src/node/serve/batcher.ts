/** @file Requests become batches: a request waits for others, then all that fit run together. A request is never divided.
 *  Requests that fail together run again alone, so that a bad one spoils no other. */

import type { Routed } from "../../dynamic/route/route.js";
import { type Rows, takeFirst } from "../../dynamic/run/executor/rows.js";

export interface BatcherOptions {
  /** Most samples in one run; no request may have more. */
  readonly most: number;
  /** How long a request waits for others. */
  readonly windowMs: number;
  /** @returns one answer per row, in order */
  readonly run: (rows: Rows) => Promise<readonly Routed[]>;
}

interface Waiting {
  readonly rows: Rows;
  readonly since: number;
  readonly resolve: (answers: readonly Routed[]) => void;
  readonly reject: (reason: unknown) => void;
  /** Nobody waits for the answer any more. */
  abandoned: boolean;
}

export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Waiting[] = [];
  #working: Promise<void> | undefined;
  /** Looks again whether a batch should run now. */
  #arrived: (() => void) | undefined;
  #hurried = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Answers of one request, in its order.
   * @param signal takes the request out of the queue
   * @throws what the run throws, or the signal's reason */
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

  /** No request waits for others from now on. */
  hurry(): void {
    this.#hurried = true;
    this.#arrived?.();
  }

  /** When all that came is answered. */
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

  /** Wait until a batch is full or all have left, or its first request has waited long enough. */
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

  /** The requests that have waited longest, as many as fit. */
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
