/** @file A request and its answer, from the request's header until the answer is sent or the
 *  connection is closed.
 *  Node reports neither end for an answer that waits behind another one on its connection. An
 *  exchange reports both. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Place } from "./admission.js";
import { busy } from "./refusals.js";

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client sends its body only after the server answers 100 Continue. */
  awaitsContinue = false;
  /** The client has shown its token. */
  known = false;
  place: Place | undefined;
  readonly #stop = new AbortController();
  readonly #endings: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    response.once("close", () => this.end());
  }

  /** Aborted when work on the answer is useless. Its reason is the error that the client should
   * get. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the answer is sent or can no longer be sent. */
  get over(): boolean {
    return this.#over;
  }

  /** Answer with this error instead. */
  stop(reason: Error): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  /** Set the time limit to `ms` milliseconds from now, in place of the earlier limit. */
  allow(ms: number, reason: () => Error): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.stop(reason()), ms);
  }

  /** Call `ending` when the exchange is over; call it at once when the exchange is over already. */
  onOver(ending: () => void): void {
    if (this.#over) ending();
    else this.#endings.push(ending);
  }

  /** The answer is sent, or the connection is closed. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.stop(busy("the client has disconnected"));
    for (const ending of this.#endings.splice(0)) ending();
  }
}
