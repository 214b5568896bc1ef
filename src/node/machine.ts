/** @file The machine of this process, and the run that it does, for records. */
import { cpus, loadavg } from "node:os";
import type { Machine, Made } from "../schema/made.js";
import { ort } from "./ort-node/ort.js";

/** Describes this machine. Ask before the work begins: the work adds to the load.
 * @param threads inside one operator; left out: the engine's own choice
 * @example
 * describeMachine().engine; // "onnxruntime 1.30.0" */
export function describeMachine(threads?: number): Machine {
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

/** Describes a run that begins now.
 * @param command the command line, where there is one */
export const describeRun = (threads?: number, command?: string): Made => ({
  date: new Date().toISOString(),
  ...(command === undefined ? {} : { command }),
  machine: describeMachine(threads),
});
