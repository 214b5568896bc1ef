/** @file What a kind of task is, and what a task gets to run. */
import type { z } from "zod";
import type { Tensor } from "../../core/tensor.js";
import type { TrainingSplit } from "../../data/training-split.js";
import type { BatchChoice } from "../../runtime/batch.js";
import type { TrainingRef } from "../../schema/study/references.js";
import type { TrainingPlan } from "../../training/run/plan.js";
import type { TrainingRequest } from "../../training/run/request.js";
import type { TrainingResult } from "../../training/run/trainer.js";
import type { RunStore } from "../audit/run-store.js";
import type { Bench, Opening } from "./bench.js";
import type { TaskOutput } from "./content.js";
import type { Task, TaskKey } from "./task.js";

/** The results that a task reads: a file of each task of an input, in the order of the task. */
export interface TaskInputs {
  readonly files: (name: string, file: string) => Promise<readonly Uint8Array[]>;
  readonly arrays: (name: string, file: string) => Promise<readonly Tensor[]>;
  /** The same for a file that a result may lack. */
  readonly optional: (name: string, file: string) => Promise<readonly (Tensor | undefined)[]>;
  readonly tables: <Row extends object>(name: string, file: string) => Promise<readonly (readonly Row[])[]>;
}

/** One run of a task that trains a network. */
export interface TaskTraining extends Pick<TrainingRequest, "signal" | "onStep"> {
  readonly key: TaskKey;
  /** Place of the run in the task, from 0. */
  readonly run: number;
  /** Threads of the engine. They decide the last bits. */
  readonly threads: number;
}

/** What the machine gives to a task. */
export interface TaskContext extends Opening {
  /** Opens the records that networks are trained on, and compares them with the reference.
   * @throws DynnError 'study/changed', and the errors of opening and splitting data */
  readonly trainingData: (reference: TrainingRef) => Promise<TrainingSplit>;
  /** Trains with checkpoints, so that a stopped task loses little, and goes on from the last one.
   * Undefined: a stopped training begins anew.
   * @throws DynnError 'file/locked' while another process does the same task */
  readonly keptTraining?:
    | ((plan: TrainingPlan, training: TaskTraining) => Promise<Pick<TrainingResult, "graph" | "epochs">>)
    | undefined;
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
  /** What the machine is, for manifests. */
  readonly machineName?: string | undefined;
}

/** What a running task has in addition. */
export interface RunningContext extends TaskContext {
  readonly bench: Bench;
}

/** How tasks share the cores of a machine. */
export const CORES = ["one", "own", "all"] as const;

/** A kind of task. */
export interface TaskKind<P = unknown> {
  readonly name: string;
  /** A change of the results is a new version. */
  readonly version: number;
  readonly parameters: z.ZodType<P>;
  /** The names of its inputs. */
  readonly inputs: readonly string[];
  /** Whether its result is a measured time, which differs between two runs. */
  readonly measuresTime?: boolean | undefined;
  /** The cores that it works on. A measurement of time takes the whole machine. "own": as many as
   * its parameters say, and a machine runs one such task at a time, beside others. */
  readonly cores: (typeof CORES)[number];
  /** The cores of a kind with its own number. */
  readonly threads?: ((parameters: P) => number) | undefined;
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
