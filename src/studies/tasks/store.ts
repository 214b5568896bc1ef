/** @file The interface of a store of finished tasks. A task is done when the store has its
 *  manifest. Stores are folders or buckets, see node/store. */
import type { Json, Task, TaskKey } from "./task.js";

/** What a finished task left. */
export interface Manifest {
  readonly schemaVersion: 1;
  readonly key: TaskKey;
  readonly task: Task;
  /** The files of the result, by name. */
  readonly files: { readonly [name: string]: { readonly sha256: string; readonly bytes: number } };
  /** Facts that are not part of the result, such as seconds and the machine. They may differ
   * between two runs of the same task. */
  readonly facts: { readonly [name: string]: Json | undefined };
}

/** The result of a task before it is published. */
export interface TaskResult {
  /** Bytes by file name. The same task gives the same bytes, unless its kind measures times. */
  readonly files: { readonly [name: string]: Uint8Array };
  readonly facts?: Manifest["facts"] | undefined;
}

/** A store of results. Several processes, on several machines, may use one store at a time. */
export interface TaskStore {
  /** The manifest of a finished task. Undefined when the task is not done.
   * @throws DynnError 'store/damaged', 'store/unreachable' */
  readonly manifest: (key: TaskKey) => Promise<Manifest | undefined>;
  /** The keys among these whose tasks are done. */
  readonly done: (keys: readonly TaskKey[]) => Promise<Set<TaskKey>>;
  /** One file of a finished task. Its bytes are compared with the manifest.
   * @throws DynnError 'store/damaged', 'store/unreachable' */
  readonly file: (manifest: Manifest, name: string) => Promise<Uint8Array>;
  /** Publishes a result. The first result of a task stays: later ones are dropped.
   * @returns the manifest that stands
   * @throws DynnError 'file/full', 'file/unwritable', 'store/unreachable' */
  readonly publish: (key: TaskKey, task: Task, result: TaskResult) => Promise<Manifest>;
}
