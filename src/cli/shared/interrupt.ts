/** @file Ctrl-C: the first asks the work to stop between two batches, the second stops the process at once. */

/** The reason of the signal that work is aborted with. */
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
