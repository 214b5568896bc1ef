/** @file Tries one hostile input at a time in a process apart. A failure is what must never happen, whatever the bytes: an exception that
 *  is no DynnError, a crash of the process, data read from outside the model's folder, more than {@link LIMITS}. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { STAGE_FILE } from "./beside.js";
import type { Answer, Order } from "./child.js";

export const LIMITS = {
  /** Processor time of one stage. */
  stageMs: 5000,
  /** Processor time of one input, all stages together; the process is stopped above. */
  inputMs: 20_000,
  /** Growth of the process's largest memory: this much, and a multiple of the input. */
  grownBytes: 512 * 2 ** 20,
  grownPerByte: 1000,
  /** JavaScript heap of the process. */
  heapMiB: 1024,
  /** All memory of the process; it is stopped above. */
  residentBytes: 2 ** 31,
};

export interface Failure {
  readonly kind: "thrown" | "crash" | "hang" | "memory";
  readonly what: string;
  /** Where it was, or was longest. */
  readonly stage?: string;
}

export type Outcome = { readonly answer?: Answer; readonly failure?: Failure };

const POLL_MS = 100;
/** A process that gets no processor time is not hanging, but this long is too long. */
const WALL_MS = 120_000;

/** The process that tries inputs; started again after each failure that ends it. */
export class Tester {
  #child: Child | undefined;

  async try(order: Order): Promise<Outcome> {
    this.#child ??= await start();
    const outcome = await ask(this.#child.process, order);
    const { answer, failure } = outcome;
    if (!failure || failure.kind === "thrown") return outcome;
    const stage =
      answer?.slowest.stage ?? (await readFile(join(this.#child.folder, STAGE_FILE), "utf8").catch(() => ""));
    this.stop();
    return { ...outcome, failure: { ...failure, stage } };
  }

  stop(): void {
    this.#child?.process.kill("SIGKILL");
    if (this.#child) rmSync(this.#child.folder, { recursive: true, force: true });
    this.#child = undefined;
  }
}

interface Child {
  readonly process: ChildProcess;
  /** Where it writes models that are loaded by path. */
  readonly folder: string;
}

async function start(): Promise<Child> {
  const folder = mkdtempSync(join(tmpdir(), "dynn-fuzz-"));
  const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), [folder], {
    execArgv: [`--max-old-space-size=${LIMITS.heapMiB}`, "--import", new URL("./typescript.mjs", import.meta.url).href],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr?.resume();
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the testing process ended with ${code} before its first input`)));
  });
  return { process: child, folder };
}

function ask(child: ChildProcess, order: Order): Promise<Outcome> {
  return new Promise((resolve) => {
    const [startMs, startCpu] = [Date.now(), cpuMs(child.pid)];
    const finish = (outcome: Outcome) => {
      clearInterval(timer);
      child.off("message", onAnswer).off("exit", onExit);
      resolve(outcome);
    };
    const fail = (kind: Failure["kind"], what: string) => finish({ failure: { kind, what } });
    const onAnswer = (answer: Answer) => finish(judge(answer));
    const onExit = (code: number | null, signal: string | null) =>
      fail("crash", `the process ended: ${signal ?? code}`);
    const timer = setInterval(() => {
      const cpu = cpuMs(child.pid);
      if ((cpu === undefined ? Date.now() - startMs : cpu - (startCpu ?? 0)) > LIMITS.inputMs)
        fail("hang", `no answer after ${LIMITS.inputMs} ms of processor time`);
      else if (Date.now() - startMs > WALL_MS) fail("hang", `no answer after ${WALL_MS} ms`);
      else if (residentBytes(child.pid) > LIMITS.residentBytes)
        fail("memory", `more than ${LIMITS.residentBytes} bytes in use`);
    }, POLL_MS);
    child.on("message", onAnswer).on("exit", onExit);
    child.send(order);
  });
}

function judge(answer: Answer): Outcome {
  const { thrown, slowest, grownBytes, bytes } = answer;
  const allowed = LIMITS.grownBytes + LIMITS.grownPerByte * bytes;
  if (thrown !== undefined) return { answer, failure: { kind: "thrown", what: thrown } };
  if (slowest.ms > LIMITS.stageMs) {
    const what = `${slowest.stage} took ${Math.round(slowest.ms)} ms of processor time`;
    return { answer, failure: { kind: "hang", what } };
  }
  if (grownBytes > allowed)
    return { answer, failure: { kind: "memory", what: `${grownBytes} bytes for an input of ${bytes}` } };
  return { answer };
}

/** Processor time of a process so far (Linux; undefined elsewhere). */
function cpuMs(pid: number | undefined): number | undefined {
  const fields = procFile(pid, "stat")
    ?.replace(/^.*\) /, "")
    .split(" ");
  // Fields 14 and 15 of proc(5), in ticks of 10 ms; two fields are cut off before.
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

const residentBytes = (pid: number | undefined): number => Number(procFile(pid, "statm")?.split(" ")[1] ?? 0) * 4096;

function procFile(pid: number | undefined, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

/** What the stages named in an expectation ("read ok, session runtime/load") have said, in its form. */
export const stagesOf = (answer: Answer | undefined, expected: string): string =>
  expected
    .split(", ")
    .map((part) => part.replace(/ \S+$/, ""))
    .map((stage) => `${stage} ${answer?.verdict[stage]}`)
    .join(", ");
