/** @file What the tasks of one process leave open for the next ones: the sessions of the networks
 *  that they worked on last. To open a network takes as long as a small task. */
import type { DataRef } from "../../schema/study/references.js";
import { Bench, type Opening } from "./bench.js";
import { canonicalJson, type Json, type Task } from "./task.js";

/** Networks that stay open: one that is attacked, and one that is judged. */
const MOST = 2;

interface Kept {
  readonly bench: Bench;
  /** The records of its last task. */
  data: Json | undefined;
}

/** Keeps the benches of the last networks. Tasks run one at a time.
 * @example
 * const benches = new KeptBenches();
 * const bench = await benches.take("study, 1 thread", task, context);
 * await benches.release(); */
export class KeptBenches {
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();

  /** The bench for a task. Tasks of one network, one after the other, get the same one.
   * @param place tells apart what the task does not name, such as the threads of the engine */
  async take(
    place: string,
    { parameters: { network, data } }: Pick<Task, "parameters">,
    opening: Opening,
  ): Promise<Bench> {
    const name = canonicalJson([place, network ?? null]);
    const kept = this.#kept.get(name) ?? { bench: new Bench(opening), data };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    forgetOther(kept, data);
    await this.#drop(this.#kept.size - MOST);
    return kept.bench;
  }

  /** Releases the memory of all sessions. */
  release(): Promise<void> {
    return this.#drop(this.#kept.size);
  }

  async #drop(count: number): Promise<void> {
    const leaving = [...this.#kept].slice(0, Math.max(0, count));
    for (const [name] of leaving) this.#kept.delete(name);
    for (const [, { bench }] of leaving) await bench.release();
  }
}

/** Drops the pixels of the last task when this one has other records. */
function forgetOther(kept: Kept, data: Json | undefined): void {
  if (kept.data !== undefined && canonicalJson(kept.data) !== canonicalJson(data ?? null))
    kept.bench.forget(kept.data as unknown as DataRef);
  kept.data = data;
}
