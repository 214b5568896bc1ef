/** @file Sessions of one model, each compiled once: the many executors of a profile differ in policy and batch size, not in what their stages
 *  compute. A part of one graph is known by what it reads and gives. */
import { subgraphs } from "../../graph/graph.js";
import type { Backend, Session } from "../../runtime/backend.js";

export class SharedSessions implements Backend {
  readonly name: string;
  readonly routes: boolean;
  readonly #backend: Backend;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(backend: Backend) {
    this.name = backend.name;
    this.routes = backend.routes ?? false;
    this.#backend = backend;
  }

  /** @param graph the model's graph, or a part of it
   * @returns a session that stays when it is released, until all are; one of its own for a graph that routes, which holds its policy
   * @throws DynnError 'runtime/load' */
  readonly compile: Backend["compile"] = async (graph) => {
    if (graph.nodes.some((node) => subgraphs(node).length > 0)) return this.#backend.compile(graph);
    const key = JSON.stringify([graph.inputs, graph.outputs].map((infos) => infos.map(({ name }) => name)));
    const session = this.#sessions.get(key) ?? this.#backend.compile(graph);
    this.#sessions.set(key, session);
    const { inputs, outputs, run } = await session;
    return { inputs, outputs, run, release: async () => undefined };
  };

  /** Give back the memory of all sessions. */
  async release(): Promise<void> {
    const compiled = await Promise.allSettled(this.#sessions.values());
    await Promise.all(compiled.map(async (each) => (each.status === "fulfilled" ? each.value.release() : undefined)));
  }
}
