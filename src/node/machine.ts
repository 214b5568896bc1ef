/** @file The machine of this process, and the run that it does, for records. */
import { cpus, loadavg } from "node:os";
import type { Machine, Made } from "../schema/made.js";
import { ort } from "./ort-node/ort.js";

/** What the caller knows of its run. */
export interface RunOptions {
  /** Threads inside one operator. Left out: the engine's own choice. */
  readonly threads?: number | undefined;
  /** The command line, where there is one. */
  readonly command?: string | undefined;
}

/** Describes this machine. Ask before the work begins: the work adds to the load.
 * @example
 * describeMachine().engine; // "onnxruntime 1.30.0" */
export function describeMachine({ threads }: Pick<RunOptions, "threads"> = {}): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: Math.max(1, cores.length),
    runtime: `node ${process.versions.node}`,
    engine: `onnxruntime ${ort.env.versions.node}`,
    threads: threads ?? null,
    load: loadavg()[0],
  };
}

/** Describes a run that begins now, for the field `made` of records.
 * @example
 * describeRun({ threads: 2 }).machine.threads; // 2 */
export const describeRun = ({ threads, command }: RunOptions = {}): Made => ({
  date: new Date().toISOString(),
  ...(command === undefined ? {} : { command }),
  machine: describeMachine({ threads }),
});
