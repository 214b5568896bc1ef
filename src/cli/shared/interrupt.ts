/** @file Ctrl-C: the first one stops the work between two batches, the second one stops the process
 *  at once. */

/** The reason of the signal that aborts work. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Run work that Ctrl-C (or SIGTERM) aborts. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Interrupted("Interrupted. No report was written."));
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, stop);
  }
}

/** Resolves at Ctrl-C, for commands that run until then. */
export const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
