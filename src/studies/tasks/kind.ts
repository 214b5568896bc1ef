/** @file What a kind of task is, and what a task gets to run. */
import type { z } from "zod";
import type { Tensor } from "../../core/tensor.js";
import type { BatchChoice } from "../../runtime/batch.js";
import type { RunStore } from "../audit/run-store.js";
import type { Bench, Opening } from "./bench.js";
import type { TaskOutput } from "./content.js";
import type { Task, TaskKey } from "./task.js";

/** The results that a task reads: a file of each task of an input, in the order of the task. */
export interface TaskInputs {
  readonly files: (name: string, file: string) => Promise<readonly Uint8Array[]>;
  readonly arrays: (name: string, file: string) => Promise<readonly Tensor[]>;
  readonly tables: <Row extends object>(name: string, file: string) => Promise<readonly (readonly Row[])[]>;
}

/** What the machine gives to a task. */
export interface TaskContext extends Opening {
  /** Keeps an attack, so that a stopped task loses little. Undefined when another process does the
   * same task. */
  readonly unfinished?: ((key: TaskKey) => Promise<RunStore | undefined>) | undefined;
  /** Samples in one run, and the memory that they take. Left out: each task chooses, by the memory
   * that is free. */
  readonly memory?: BatchChoice | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param part what the task does, where it does several things */
  readonly onProgress?: ((done: number, total: number, part?: string) => void) | undefined;
  /** What tasks of one process have open together. Left out: a task opens all it needs. */
  readonly bench?: Bench | undefined;
  /** Clock in milliseconds. */
  readonly now: () => number;
  /** Version of dynn, for manifests. */
  readonly version: string;
}

/** What a running task has in addition. */
export interface RunningContext extends TaskContext {
  readonly bench: Bench;
}

/** A kind of task. */
export interface TaskKind<P = unknown> {
  readonly name: string;
  /** A change of the results is a new version. */
  readonly version: number;
  readonly parameters: z.ZodType<P>;
  /** The names of its inputs. */
  readonly inputs: readonly string[];
  /** The cores that it works on. A measurement of time takes the whole machine. */
  readonly cores: "one" | "all";
  /** Work of the task in MACs, for the estimate of a plan. */
  readonly macs: (parameters: P) => number;
  readonly run: (key: TaskKey, parameters: P, inputs: TaskInputs, context: RunningContext) => Promise<TaskOutput>;
}

/** Types a kind by its parameters. */
export const taskKind = <P>(kind: TaskKind<P>): TaskKind => kind as unknown as TaskKind;

/** A task of a kind, with checked parameters. */
export function makeTask<P>(
  kind: Pick<TaskKind<P>, "name" | "version" | "parameters">,
  parameters: P,
  inputs: Task["inputs"] = {},
): Task {
  const checked = kind.parameters.parse(parameters) as Task["parameters"];
  return { kind: kind.name, version: kind.version, parameters: checked, inputs };
}
