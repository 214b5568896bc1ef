/** @file A request and its answer, from the request's header until the answer is sent or the connection is gone. Node tells of neither end for an
 *  answer that waits behind another one on its connection; an exchange hears of both. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Place } from "./admission.js";
import { busy } from "./refusals.js";

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client sends its body only when it is told to go on. */
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

  /** Aborted when work on the answer makes no sense any more; its reason is what the client should be told. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Sent, or beyond sending. */
  get over(): boolean {
    return this.#over;
  }

  /** Answer with this instead. */
  stop(reason: Error): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  /** Allow so much time from now, in place of what was allowed before. */
  allow(ms: number, reason: () => Error): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.stop(reason()), ms);
  }

  /** Call `ending` when the exchange is over; at once when it is. */
  onOver(ending: () => void): void {
    if (this.#over) ending();
    else this.#endings.push(ending);
  }

  /** The answer is sent, or the connection is gone. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.stop(busy("the client has left"));
    for (const ending of this.#endings.splice(0)) ending();
  }
}
