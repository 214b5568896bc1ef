/** @file Runs many cases in a process apart, one at a time, and keeps count. A failure is what must never happen, whatever the bytes: an
 *  exception that is no DynnError, a crash of the process, more than {@link LIMITS}. */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
}

export type Outcome = { readonly answer?: Answer; readonly failure?: Failure };

const POLL_MS = 100;
/** A process that gets no processor time is not hanging, but this long is too long. */
const WALL_MS = 120_000;

/** The process that tries inputs; started again after each failure that ends it. */
export class Tester {
  #child: ChildProcess | undefined;

  async try(order: Order): Promise<Outcome> {
    this.#child ??= await start();
    const outcome = await ask(this.#child, order);
    if (outcome.failure && outcome.failure.kind !== "thrown") this.stop();
    return outcome;
  }

  stop(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

async function start(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), [], {
    execArgv: [`--max-old-space-size=${LIMITS.heapMiB}`, "--import", new URL("./typescript.mjs", import.meta.url).href],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.stderr?.resume();
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the testing process ended with ${code} before its first input`)));
  });
  return child;
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
  const { thrown, slowestMs, grownBytes, bytes } = answer;
  const allowed = LIMITS.grownBytes + LIMITS.grownPerByte * bytes;
  if (thrown !== undefined) return { answer, failure: { kind: "thrown", what: thrown } };
  if (slowestMs > LIMITS.stageMs)
    return { answer, failure: { kind: "hang", what: `a stage took ${Math.round(slowestMs)} ms of processor time` } };
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

export interface Finding extends Failure {
  readonly index: number;
  readonly keep: readonly number[];
}

export interface Summary {
  readonly tried: number;
  /** Inputs that every stage accepted. */
  readonly accepted: number;
  /** How often each stage gave each code: "read model/parse" -> count. */
  readonly refused: ReadonlyMap<string, number>;
  /** One finding of each kind, and how often it came. */
  readonly findings: ReadonlyMap<string, { readonly finding: Finding; count: number }>;
}

export interface Campaign {
  readonly seed: number;
  readonly from: number;
  /** Whether case `index` is still to be tried. */
  readonly more: (index: number) => boolean;
  /** Every so many cases, sessions are made too. */
  readonly sessionEvery: number;
  readonly progress?: (tried: number, findings: number) => void;
}

/** Try cases until there are no more. */
export async function run(campaign: Campaign): Promise<Summary> {
  const tester = new Tester();
  const refused = new Map<string, number>();
  const findings = new Map<string, { finding: Finding; count: number }>();
  let [tried, accepted] = [0, 0];
  try {
    for (let index = campaign.from; campaign.more(index); index++) {
      const order = { seed: campaign.seed, index, sessions: index % campaign.sessionEvery === 0 };
      const { answer, failure } = await tester.try(order);
      tried++;
      const codes = Object.entries(answer?.verdict ?? {}).filter(([, code]) => code !== "ok");
      if (answer && !failure && codes.length === 0) accepted++;
      for (const [stage, code] of codes) refused.set(`${stage} ${code}`, (refused.get(`${stage} ${code}`) ?? 0) + 1);
      if (failure) await note(findings, tester, order, failure);
      campaign.progress?.(tried, findings.size);
    }
  } finally {
    tester.stop();
  }
  return { tried, accepted, refused, findings };
}

/** Failures of one kind at one place are one finding; its first case is made as small as leaving out edits makes it, where
 *  trying again is cheap. */
async function note(
  findings: Map<string, { finding: Finding; count: number }>,
  tester: Tester,
  order: { readonly seed: number; readonly index: number; readonly sessions: boolean },
  failure: Failure,
): Promise<void> {
  const key = keyOf(failure);
  const known = findings.get(key);
  if (known) {
    known.count++;
    return;
  }
  let keep = [0, 1, 2, 3, 4];
  const isCheap = failure.kind === "thrown" || failure.kind === "crash";
  for (const edit of isCheap ? [...keep] : []) {
    const fewer = keep.filter((e) => e !== edit);
    const { failure: again } = await tester.try({ ...order, keep: fewer });
    if (again && keyOf(again) === key) keep = fewer;
  }
  findings.set(key, { finding: { ...failure, index: order.index, keep }, count: 1 });
}

/** What makes two failures the same: kind, and for an exception its text without numbers and names. */
const keyOf = ({ kind, what }: Failure): string =>
  kind === "thrown" ? `${what.replaceAll(/"[^"]*"/g, '""').replaceAll(/-?\d[\d.e+]*/g, "0")}` : kind;
