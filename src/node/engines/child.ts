/** @file The process that runs tasks. It gets one task at a time from the process that started it,
 *  and ends with that process. */

import { toFailure } from "../failure.js";
import { isLocked } from "../training/kept.js";
import type { FromChild, Order, Place, ToChild } from "./protocol.js";
import { isBroken, TaskWork } from "./work.js";

/** Milliseconds between two messages about progress. */
const PROGRESS_MS = 200;

const place = JSON.parse(process.argv[2] ?? "{}") as Place;
const tell = (message: FromChild): void => void process.send?.(message);

let work: TaskWork | undefined;
let stop = new AbortController();
let isLast = false;
let isBusy = false;

async function answer(order: Order): Promise<FromChild> {
  try {
    work ??= await TaskWork.open(place);
    const { facts } = await work.run(order, { signal: stop.signal, onProgress: progress() });
    return { done: true, seconds: typeof facts.seconds === "number" ? facts.seconds : undefined };
  } catch (error) {
    if (stop.signal.aborted || isLocked(error)) return { stopped: true };
    return isBroken(error) ? { broken: toFailure(error) } : { failed: toFailure(error) };
  }
}

function progress(): (done: number, total: number) => void {
  let last = performance.now();
  return (done, total) => {
    if (performance.now() - last < PROGRESS_MS || total <= 0) return;
    last = performance.now();
    tell({ share: done / total });
  };
}

async function run(order: Order): Promise<void> {
  stop = new AbortController();
  if (isLast) stop.abort();
  isBusy = true;
  const message = await answer(order);
  isBusy = false;
  tell(message);
  if (isLast) end();
}

/** Ends the process between two tasks. A task that runs stops at its next clean place first. */
function quit(): void {
  isLast = true;
  stop.abort(new Error("the worker was told to stop"));
  if (!isBusy) end();
}

const end = (): void => {
  if (process.connected) process.disconnect();
};

process.on("message", (message: ToChild) => {
  if ("order" in message) void run(message.order);
  else stop.abort(new Error("the run was stopped"));
});
process.on("disconnect", quit);
process.on("SIGTERM", quit);
// Ctrl-C reaches every process of the terminal. The parent says when to stop.
process.on("SIGINT", () => undefined);
tell({ ready: true });
