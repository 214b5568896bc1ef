/** @file The page's side of the engine: calls that resolve when the worker has answered. */
import type { Answer, CallName, Calls, Frame } from "../shared/messages.js";

/** What a call tells before it is done. */
export interface Watch {
  readonly onFrame?: (frame: Frame) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

interface Waiting extends Watch {
  readonly resolve: (gives: never) => void;
  readonly reject: (reason: Error) => void;
}

/** The call ended because the reader stopped it. */
export class Stopped extends Error {}

/** A call that runs. */
export interface Running<N extends CallName> {
  readonly id: number;
  readonly done: Promise<Calls[N]["gives"]>;
}

export class Engine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor() {
    this.#worker = new Worker(new URL("../engine/worker.ts", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#receive(data));
    this.#worker.addEventListener("error", ({ message }) => this.#fail(message || "the engine cannot be loaded"));
  }

  /** Call the engine.
   * @param moved buffers that the engine takes over */
  start<N extends CallName>(
    name: N,
    takes: Calls[N]["takes"],
    watch: Watch = {},
    moved: Transferable[] = [],
  ): Running<N> {
    const id = ++this.#calls;
    const done = new Promise<Calls[N]["gives"]>((resolve, reject) => {
      this.#waiting.set(id, { ...watch, resolve, reject });
    });
    this.#worker.postMessage({ id, name, takes }, moved);
    return { id, done };
  }

  /** {@link start}, for calls that nobody stops. */
  call<N extends CallName>(name: N, takes: Calls[N]["takes"], watch: Watch = {}): Promise<Calls[N]["gives"]> {
    return this.start(name, takes, watch).done;
  }

  #receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    if (answer.kind === "frame") waiting.onFrame?.(answer.frame);
    else if (answer.kind === "progress") waiting.onProgress?.(answer.done, answer.total);
    else {
      this.#waiting.delete(answer.id);
      if (answer.kind === "done") waiting.resolve(answer.gives as never);
      else waiting.reject(answer.stopped ? new Stopped() : new Error(answer.message));
    }
  }

  /** The worker itself failed: nothing will be answered. */
  #fail(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
  }
}
