/** @file Connections to Redis for the queue of tasks. BullMQ and ioredis are optional packages. */
import type { Redis } from "ioredis";
import { DynnError, reasonOf } from "../../../core/errors.js";
import type { TaskKind } from "../../../studies/tasks/kind.js";
import { codeOf } from "../../output-files.js";

/** The queue of a store for tasks on one core, or on all. Workers take what fits their machine. */
export const queueName = (storeId: string, cores: TaskKind["cores"]): string => `dynn-${storeId}-${cores}`;

/** The classes of the queue. */
export interface QueuePackages
  extends Pick<typeof import("bullmq"), "Queue" | "QueueEvents" | "Worker" | "UnrecoverableError" | "WaitingError"> {
  readonly Redis: typeof import("ioredis").Redis;
}

/** Loads the packages of the queue.
 * @throws DynnError 'study/worker' when they are not installed */
export async function queuePackages(): Promise<QueuePackages> {
  try {
    const [{ Queue, QueueEvents, Worker, UnrecoverableError, WaitingError }, { Redis: client }] = await Promise.all([
      import("bullmq"),
      import("ioredis"),
    ]);
    return { Queue, QueueEvents, Worker, UnrecoverableError, WaitingError, Redis: client };
  } catch (cause) {
    if (!["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(codeOf(cause))) throw cause;
    throw new DynnError(
      "study/worker",
      "engine bullmq: its packages are not installed. Run `npm install bullmq ioredis` beside dynn.",
      {},
      { cause },
    );
  }
}

/** A URL without its password, for messages. */
export const shownUrl = (url: string): string => url.replace(/\/\/[^@/]*@/, "//...@");

/** Looks whether Redis answers.
 * @throws DynnError 'store/unreachable' */
export async function checkRedis({ Redis }: Pick<QueuePackages, "Redis">, url: string): Promise<void> {
  let reason = "";
  const client = new Redis(parsed(url), { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5000 });
  client.on("error", (error: Error) => {
    reason ||= reasonOf(error);
  });
  try {
    await client.connect();
    await client.ping();
  } catch (cause) {
    throw unreachable(url, reason || reasonOf(cause), cause);
  } finally {
    client.disconnect();
  }
}

/** @throws DynnError 'study/value' */
function parsed(url: string): string {
  if (/^rediss?:\/\/[^/\s]+/.test(url)) return url;
  throw new DynnError("study/value", `Redis "${url}": is not a URL. Write e.g. redis://:PASSWORD@HOST:6379`, {
    options: ["redis"],
  });
}

function unreachable(url: string, reason: string, cause: unknown): DynnError {
  const isRefused = /WRONGPASS|NOAUTH|NOPERM|invalid password|AUTH/.test(reason);
  const advice = isRefused
    ? "Check the name and the password in the URL"
    : "Check that Redis runs there, and that this machine may reach it";
  return new DynnError(
    "store/unreachable",
    `${shownUrl(url)}: Redis ${isRefused ? "refuses access" : "cannot be reached"} (${reason}). ${advice}.`,
    { redis: shownUrl(url), options: ["redis"] },
    { cause },
  );
}

/** A connection that comes back after every loss. */
export function connect({ Redis }: Pick<QueuePackages, "Redis">, url: string, onLost: () => void): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(50 * times, 2000) });
  client.on("error", onLost);
  return client;
}

/** Waits for the end of work, but not for long: without Redis, closing may take for ever. */
export const briefly = (work: Promise<unknown>, ms = 3000): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(end, end);
  });
