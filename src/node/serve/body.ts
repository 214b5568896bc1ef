/** @file Reads the body of a request, up to a limit and until the request is abandoned. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { busy, tooLarge } from "./refusals.js";

/** Read a body to its end.
 * @param declared the length in bytes that the header declares, if it declares one
 * @throws DynnError 'wire/limit' when the body is longer than `most` bytes, 'serve/busy' when the
 *   client disconnects, or the signal's reason */
export function receive(
  body: Readable,
  declared: string | undefined,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return new Promise<Uint8Array>((resolve, reject) => {
    if (Number(declared) > most) return reject(tooLarge());
    const finish = (done: () => void) => {
      body.off("data", take).off("end", end).off("error", abandon).off("close", abandon);
      signal.removeEventListener("abort", abandon);
      done();
    };
    const take = (chunk: Uint8Array) => {
      length += chunk.length;
      if (length > most) finish(() => reject(tooLarge()));
      else chunks.push(chunk);
    };
    const end = () => finish(() => resolve(Buffer.concat(chunks, length)));
    const abandon = () => finish(() => reject(signal.aborted ? signal.reason : busy("the client has disconnected")));
    if (signal.aborted) return abandon();
    signal.addEventListener("abort", abandon);
    body.on("data", take).on("end", end).on("error", abandon).on("close", abandon);
  });
}

/** Read on and keep nothing, to the end of the body or for at most `ms` milliseconds. */
export async function discard(request: IncomingMessage, ms: number): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    request.on("end", end).on("error", end).on("close", end).resume();
  });
}
