/** @file A child process that runs tasks, seen from the process that started it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TaskEnd } from "../../studies/tasks/conduct.js";
import { fromFailure } from "../failure.js";
import type { FromChild, Order, Place, ToChild } from "./protocol.js";

/** Milliseconds that a task has to reach a clean place after it was told to stop. */
const GRACE_MS = 30_000;

/** Characters of the last messages of a process that are kept. */
const LAST_WORDS = 2000;

/** How a task ended, or that the process never began to work. */
export type ChildEnd = TaskEnd | { readonly end: "unborn"; readonly reason: string };

/** A process for one task at a time. */
export class TaskChild {
  readonly #process: ChildProcess;
  readonly #ready: Promise<void>;
  #stderr = "";
  #isReady = false;

  constructor(place: Place) {
    this.#process = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [JSON.stringify(place)], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.on("data", (text: Buffer) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-LAST_WORDS);
    });
    this.#process.on("error", () => undefined);
    this.#ready = new Promise((resolve) => this.#process.once("message", () => resolve()));
    void this.#ready.then(() => {
      this.#isReady = true;
    });
  }

  /** Whether it has begun to work. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it can take another task. */
  get isAlive(): boolean {
    return this.#process.connected && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Runs a task. Does not reject. */
  run(order: Order, signal: AbortSignal, onProgress: (share: number) => void): Promise<ChildEnd> {
    return new Promise((resolve) => {
      const child = this.#process;
      let timer: NodeJS.Timeout | undefined;
      const onMessage = (message: FromChild): void => {
        if ("share" in message) onProgress(message.share);
        else if (!("ready" in message)) finish(endOf(message));
      };
      const onGone = (): void => finish(signal.aborted ? { end: "stopped" } : this.#goneEnd());
      const onAbort = (): void => {
        this.#send({ stop: true });
        timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      };
      const finish = (end: ChildEnd): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        child.off("message", onMessage).off("close", onGone);
        resolve(end);
      };
      child.on("message", onMessage).on("close", onGone);
      signal.addEventListener("abort", onAbort);
      if (signal.aborted || !this.isAlive) onGone();
      else void this.#ready.then(() => this.#send({ order }));
    });
  }

  /** Ends the process at once, with the task that it runs. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Lets the process end when it has nothing to do. */
  quit(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  /** A process that is gone gets no message. Its end is noticed elsewhere. */
  #send(message: ToChild): void {
    if (this.isAlive) this.#process.send(message, () => undefined);
  }

  #goneEnd(): ChildEnd {
    const { signalCode, exitCode } = this.#process;
    // It was told to stop by somebody else, and left between two tasks. A process that ends hears
    // no second SIGTERM, and that signal then stands for its end.
    if (exitCode === 0 || (this.#isReady && signalCode === "SIGTERM")) return { end: "stopped" };
    const lines = this.#stderr.trim().split("\n");
    const words = lines.find((line) => line.startsWith("FATAL ERROR")) ?? lines.at(-1) ?? "";
    const how = signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
    const hint = signalCode === "SIGKILL" ? ", often for want of memory" : "";
    const reason = `${how}${hint}${words === "" ? "" : `: ${words}`}`;
    return { end: this.#isReady ? "died" : "unborn", reason };
  }
}

function endOf(message: Exclude<FromChild, { readonly ready: true } | { readonly share: number }>): TaskEnd {
  if ("done" in message) return { end: "done", seconds: message.seconds };
  if ("failed" in message) return { end: "failed", reason: message.failed.message };
  if ("broken" in message) return { end: "broken", error: fromFailure(message.broken) };
  return { end: "stopped" };
}
