/** @file Keeps the sessions of attacks within a limit of memory. A session keeps the memory of its
 *  largest run until it is released. */
import type { Graph } from "../../graph/graph.js";
import { memoryOf } from "../../graph/memory.js";
import { opTable } from "../../ops/table.js";
import type { Backend, Session } from "../../runtime/backend.js";

/** A limit on the memory of open sessions. */
export interface SessionRoom {
  /** Bytes that all sessions together may take. */
  readonly bytes: number;
  /** Samples in one run. */
  readonly batch: number;
}

interface Open {
  readonly session: Promise<Session>;
  /** Bytes that it is expected to take. */
  readonly bytes: number;
  /** Number of runs that have not ended. */
  runs: number;
}

/** Opens a session at its first use and keeps it. When the memory of all would exceed the limit, it
 * releases those that were used longest ago. A session that runs is never released. */
export class Sessions {
  readonly #backend: Backend;
  readonly #room: SessionRoom | undefined;
  /** In the order of their last use. */
  readonly #open = new Map<string, Open>();

  constructor(backend: Backend, room?: SessionRoom) {
    this.#backend = backend;
    this.#room = room;
  }

  /** Runs `work` with the session of a graph.
   * @param key names the graph
   * @throws DynnError 'runtime/load' */
  async use<T>(key: string, graph: Graph, work: (session: Session) => Promise<T>): Promise<T> {
    const open = this.#open.get(key) ?? this.#opened(graph);
    this.#open.delete(key);
    this.#open.set(key, open);
    open.runs++;
    try {
      return await work(await open.session);
    } finally {
      open.runs--;
    }
  }

  /** Releases the memory of all sessions. They open again at their next use. */
  async release(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await closed(all);
  }

  #opened(graph: Graph): Open {
    const bytes = this.#room === undefined ? 0 : (memoryOf(graph, opTable)?.(this.#room.batch) ?? 0);
    const leaving = closed(this.#leaving(bytes));
    return { session: leaving.then(() => this.#backend.compile(graph)), bytes, runs: 0 };
  }

  /** Takes out the sessions that must make room for `bytes`. */
  #leaving(bytes: number): Open[] {
    let over =
      [...this.#open.values()].reduce((sum, open) => sum + open.bytes, bytes) - (this.#room?.bytes ?? Infinity);
    return [...this.#open].flatMap(([key, open]) => {
      if (over <= 0 || open.runs > 0) return [];
      over -= open.bytes;
      this.#open.delete(key);
      return [open];
    });
  }
}

async function closed(sessions: readonly Open[]): Promise<void> {
  for (const { session } of sessions) await (await session).release();
}
