/** @file The remote of a device: a server over HTTP, or the server's half in the same process. */
import type { Reply } from "../wire-answer.js";

/** Options of a call of a remote. */
export interface RemoteOptions {
  /** The number of samples in the request. */
  readonly samples: number;
  /** Stops the call. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Answers the samples that a device is not confident of. */
export interface Remote {
  /** Answer a request in the wire format.
   * @throws DynnError 'serve/unreachable' when the remote does not answer for now, and the device
   *   answers in its place; the error of a refused request; or the signal's reason */
  readonly classify: (request: Uint8Array<ArrayBuffer>, options: RemoteOptions) => Promise<Reply>;
}
