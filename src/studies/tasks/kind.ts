/** @file What a kind of task is, and what a task gets to run. */
import type { z } from "zod";
import type { Dataset } from "../../data/dataset.js";
import type { TrainingSplit } from "../../data/training-split.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Backend } from "../../runtime/backend.js";
import type { DataRef, NetworkRef, TrainingRef } from "../../schema/study/references.js";
import type { TrainingPlan } from "../../training/run/plan.js";
import type { TrainingRequest } from "../../training/run/request.js";
import type { TrainingResult } from "../../training/run/trainer.js";
import type { RunStore } from "../audit/run-store.js";
import type { Manifest, TaskResult } from "./store.js";
import type { Task, TaskKey } from "./task.js";

/** The results that a task reads. */
export interface TaskInputs {
  /** The manifests of an input, in the order of the task. */
  readonly manifests: (name: string) => Promise<readonly Manifest[]>;
  /** A file of each task of an input, in the order of the task. */
  readonly files: (name: string, file: string) => Promise<readonly Uint8Array[]>;
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
export interface TaskContext {
  readonly backend: Backend;
  /** Opens a network and compares its bytes with the reference.
   * @throws DynnError 'study/changed' when the file is another one than the plan names */
  readonly network: (reference: NetworkRef) => Promise<DynamicModel>;
  /** Opens records and compares them with the reference. Record i of the result is record
   * `records[i]` of the data set.
   * @throws DynnError 'study/changed' */
  readonly data: (reference: DataRef) => Promise<Dataset>;
  /** Opens the records that networks are trained on, and compares them with the reference.
   * @throws DynnError 'study/changed', and the errors of opening and splitting data */
  readonly trainingData: (reference: TrainingRef) => Promise<TrainingSplit>;
  /** Trains with checkpoints, so that a stopped task loses little, and goes on from the last one.
   * Undefined: a stopped training begins anew.
   * @throws DynnError 'file/locked' while another process does the same task */
  readonly keptTraining?:
    | ((plan: TrainingPlan, training: TaskTraining) => Promise<Pick<TrainingResult, "graph" | "epochs">>)
    | undefined;
  /** Keeps an unfinished attack, so that a stopped task loses little. Undefined when another
   * process does the same task. */
  readonly unfinished?: ((key: TaskKey) => Promise<RunStore | undefined>) | undefined;
  /** Samples in one run. Left out: as many as the memory allows. */
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Clock in milliseconds. */
  readonly now: () => number;
  /** Version of dynn, for manifests. */
  readonly version: string;
}

/** How tasks share the cores of a machine. */
export const CORES = ["one", "own", "all"] as const;

/** A kind of task. */
export interface TaskKind<P = unknown> {
  readonly name: string;
  /** A change of the results is a new version. */
  readonly version: number;
  /** What it does, in one sentence without its subject. */
  readonly about: string;
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
  readonly run: (key: TaskKey, parameters: P, inputs: TaskInputs, context: TaskContext) => Promise<TaskResult>;
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
