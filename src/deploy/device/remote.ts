/** @file Whoever answers what the device is not sure of: a server over HTTP, or the server's half in this process. */
import type { Reply } from "../wire-answer.js";

/** Whoever answers what a device is not sure of. */
export interface Remote {
  /** Answer a request in the wire format.
   * @param samples how many it holds
   * @throws DynnError 'serve/unreachable' when there is no answer for now, which the device makes up for; else what the request is refused
   *         for, or the signal's reason */
  readonly classify: (request: Uint8Array<ArrayBuffer>, samples: number, signal?: AbortSignal) => Promise<Reply>;
}
