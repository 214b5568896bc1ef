/** @file Keeps the sessions of one model, and compiles each once. The executors of a profile differ
 *  in policy and batch size, but their stages compute the same. The inputs and outputs of a part of
 *  the graph identify it. */
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
   * @returns a session that lives until all sessions are released. A conditional graph gets its own
   *  session, because it contains its policy
   * @throws DynnError 'runtime/load' */
  readonly compile: Backend["compile"] = async (graph) => {
    if (graph.nodes.some((node) => subgraphs(node).length > 0)) return this.#backend.compile(graph);
    const key = JSON.stringify([graph.inputs, graph.outputs].map((infos) => infos.map(({ name }) => name)));
    const session = this.#sessions.get(key) ?? this.#backend.compile(graph);
    this.#sessions.set(key, session);
    const { inputs, outputs, run } = await session;
    return { inputs, outputs, run, release: async () => undefined };
  };

  /** Releases the memory of all sessions. */
  async release(): Promise<void> {
    const compiled = await Promise.allSettled(this.#sessions.values());
    await Promise.all(compiled.map(async (each) => (each.status === "fulfilled" ? each.value.release() : undefined)));
  }
}
