/** @file The messages between a process that conducts a study and the processes that run its
 *  tasks. */
import type { TaskKey } from "../../studies/tasks/task.js";
import type { Failure } from "../failure.js";

/** Where a process finds what its tasks need. */
export interface Place {
  /** The store, as `openStore` takes it. */
  readonly store: string;
  /** The folder that relative paths of the plan start from. */
  readonly root: string;
}

/** A task to run. */
export interface Order {
  /** The key of the published list that has the task. */
  readonly list: TaskKey;
  readonly key: TaskKey;
  /** Threads of the engine. */
  readonly threads: number;
}

export type ToChild = { readonly order: Order } | { readonly stop: true };

export type FromChild =
  | { readonly ready: true }
  /** The share of the work that is done, 0 to 1. */
  | { readonly share: number }
  | { readonly done: true; readonly seconds: number | undefined }
  | { readonly failed: Failure }
  /** No task can run here, for example because the store is full. */
  | { readonly broken: Failure }
  | { readonly stopped: true };
