/** @file The client of a server. It tries again until the deadline, and never longer.
 *  Outages are tried again: no connection, 5xx, 408, 429, a slow or broken answer. Refusals are
 *  not, because asking again would not help.
 *  The wait doubles from try to try and has a random part, so that many devices do not come back at
 *  once.
 *  Source: exponential backoff with jitter, Brooker, AWS Architecture Blog 2015. */
import { setTimeout as sleep } from "node:timers/promises";
import { DynnError, reasonOf } from "../core/errors.js";
import type { Remote, RemoteOptions } from "../deploy/device/remote.js";
import type { Manifest } from "../deploy/manifest.js";
import { WIRE_TYPE } from "../deploy/wire.js";
import { type Reply, readProblem, readReply } from "../deploy/wire-answer.js";
import { checkTokenText, checkWhole } from "./serve/settings.js";

/** How a client speaks with its server. */
export interface ClientOptions {
  /** The URL of the server, http or https. */
  readonly url: string;
  /** The token of the server, sent as a bearer token. Default: none. */
  readonly token?: string | undefined;
  /** The most milliseconds for all tries of a request together. Default: 2000. */
  readonly deadlineMs?: number | undefined;
  /** The most further tries after the first. Default: 3. */
  readonly retries?: number | undefined;
  /** Milliseconds after an outage in which the client sends nothing and requests fail at once.
   * Default: 1000. */
  readonly restMs?: number | undefined;
  /** Uniform random numbers in [0,1) for the jitter. */
  readonly random?: (() => number) | undefined;
}

/** The options with their defaults. */
interface Patience {
  readonly deadlineMs: number;
  readonly retries: number;
  readonly restMs: number;
  readonly random: () => number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** The most bytes of a reply. A longer reply does not come from `dynn serve`. */
const REPLY_LIMIT = 2 ** 24;

/** The server does not answer for now. */
class Outage extends Error {
  constructor(
    reason: string,
    /** The least milliseconds that the server asks to wait. */
    readonly retryAfterMs = 0,
  ) {
    super(reason);
  }
}

/** A client of `dynn serve`. It sends hidden values and receives answers, with retries, a deadline
 * and a pause after an outage. */
export class SplitClient implements Remote {
  readonly #manifest: Manifest;
  readonly #url: URL;
  readonly #options: Patience;
  readonly #headers: Readonly<Record<string, string>>;
  #outage: { readonly until: number; readonly reason: string } | undefined;

  /** @throws DynnError 'serve/config' when `url` is not an http or https URL, or a number is out of
   *   range */
  constructor(manifest: Manifest, options: ClientOptions) {
    const { deadlineMs = 2000, retries = 3, restMs = 1000, random = Math.random } = options;
    this.#manifest = manifest;
    this.#url = classifyUrl(options.url);
    checkWhole("deadline", deadlineMs);
    checkWhole("retries", retries, 0);
    checkWhole("rest", restMs, 0);
    checkTokenText(options.token);
    this.#options = { deadlineMs, retries, restMs, random };
    this.#headers = {
      "content-type": WIRE_TYPE,
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    };
  }

  /** @throws DynnError 'serve/unreachable', 'serve/refused', or the signal's reason */
  async classify(request: Uint8Array<ArrayBuffer>, { samples, signal }: RemoteOptions): Promise<Reply> {
    const start = performance.now();
    if (this.#outage && start < this.#outage.until) throw this.#unreachable(this.#outage.reason);
    const end = start + this.#options.deadlineMs;
    for (let tried = 0; ; tried++) {
      try {
        const reply = await this.#try(request, samples, end, signal);
        this.#outage = undefined;
        return reply;
      } catch (error) {
        if (!(error instanceof Outage)) throw error;
        const pause = Math.max(error.retryAfterMs, this.#pause(tried));
        if (tried >= this.#options.retries || performance.now() + pause >= end) throw this.#giveUp(error.message);
        await sleep(pause, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
      }
    }
  }

  /** Milliseconds until the next try. Half of the pause is fixed, half is random. */
  #pause(tried: number): number {
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tried);
    return most * (0.5 + 0.5 * this.#options.random());
  }

  #giveUp(reason: string): DynnError {
    this.#outage = { until: performance.now() + this.#options.restMs, reason };
    return this.#unreachable(reason);
  }

  #unreachable(reason: string): DynnError {
    return new DynnError(
      "serve/unreachable",
      `${this.#url.origin}: the server was not reached (${reason}). Check that \`dynn serve\` runs there, or allow more time.`,
      { url: this.#url.origin, reason, options: ["deadline"] },
    );
  }

  /** @throws Outage, DynnError 'serve/refused', or the signal's reason */
  async #try(
    request: Uint8Array<ArrayBuffer>,
    samples: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const { status, retryAfterMs, text } = await within(end - performance.now(), signal, (stop) =>
      this.#exchange(request, stop),
    );
    if (status === 200) return readOrOutage(text, this.#manifest, samples);
    const said = `HTTP ${status}: ${readProblem(text)}`;
    if (status >= 500 || status === 408 || status === 429) throw new Outage(said, retryAfterMs);
    throw new DynnError(
      "serve/refused",
      `${this.#url.origin}: the server refuses the request (${said}). Correct the request. A retry does not help.`,
      { url: this.#url.origin, status },
    );
  }

  async #exchange(request: Uint8Array<ArrayBuffer>, signal: AbortSignal) {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: this.#headers,
      body: request,
      redirect: "error",
      signal,
    });
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    const retryAfterMs = seconds > 0 ? 1000 * seconds : 0;
    return { status: response.status, retryAfterMs, text: await textOf(response) };
  }
}

/** @throws DynnError 'serve/config' */
function classifyUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:") && !url.username)
    return new URL("classify", url.href.endsWith("/") ? url : `${url.href}/`);
  throw new DynnError(
    "serve/config",
    `server: got "${text}", expected a URL that begins with http:// or https://. Write e.g. http://127.0.0.1:8790.`,
    { url: text },
  );
}

/** Do network work in the time that is left. Every failure is an outage, except an abort by the
 * caller. */
async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  const timer = setTimeout(() => stop.abort(new Error("no answer before the deadline")), ms);
  signal?.addEventListener("abort", abort);
  try {
    return await work(stop.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new Outage(stop.signal.aborted ? reasonOf(stop.signal.reason) : causeOf(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** The reason of a failed `fetch` is in the cause of its error. */
const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? reasonOf(error.cause) || error.message : reasonOf(error);

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > REPLY_LIMIT) throw new Error("its answer does not end");
  }
  return text + decoder.decode();
}

function readOrOutage(text: string, manifest: Manifest, samples: number): Reply {
  try {
    return readReply(text, manifest, samples);
  } catch (error) {
    throw new Outage(reasonOf(error));
  }
}
