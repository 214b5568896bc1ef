/** @file Runs tasks of published lists in this process. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynnError, type ErrorCode } from "../../core/errors.js";
import type { Bench } from "../../studies/tasks/bench.js";
import type { TaskGraph } from "../../studies/tasks/graph.js";
import { KeptBenches } from "../../studies/tasks/kept-benches.js";
import type { TaskContext } from "../../studies/tasks/kind.js";
import { graphOf, readList } from "../../studies/tasks/list.js";
import { kindOf, runTask } from "../../studies/tasks/run.js";
import type { Manifest } from "../../studies/tasks/store.js";
import type { Task, TaskKey } from "../../studies/tasks/task.js";
import { makeFolder } from "../files.js";
import { type FolderLock, lockFolder } from "../folder-lock.js";
import { ortNode } from "../ort-node/index.js";
import { type FolderStore, folderStore } from "../run-store.js";
import { openStore } from "../store/open.js";
import type { SharedStore } from "../store/shared.js";
import { taskContext } from "../studies/context.js";
import { isLocked, trainKept, whenFree } from "../training/kept.js";
import type { Order, Place } from "./protocol.js";

/** Codes of errors that every task would meet. */
const BROKEN: readonly ErrorCode[] = ["file/full", "file/unwritable", "store/unreachable"];

/** Whether every task would meet this error. */
export const isBroken = (error: unknown): boolean => error instanceof DynnError && BROKEN.includes(error.code);

interface Study {
  readonly graph: TaskGraph;
  readonly context: TaskContext;
}

/** Runs one task after the other. Networks and records are opened once, and the sessions of the
 * last networks stay. */
export class TaskWork {
  readonly #studies = new Map<TaskKey, Promise<Study>>();
  readonly #benches = new KeptBenches();

  private constructor(
    private readonly store: SharedStore,
    private readonly root: string,
  ) {}

  /** @throws DynnError as `openStore` */
  static async open({ store, root }: Place): Promise<TaskWork> {
    return new TaskWork(await openStore(store), root);
  }

  /** Runs a task, unless it is done.
   * @throws DynnError as `runTask`; the reason of the signal */
  async run({ list, key, threads }: Order, options: Pick<TaskContext, "signal" | "onProgress">): Promise<Manifest> {
    const { graph, context } = await this.#study(list);
    const task = graph.get(key);
    const scratch = new Scratch(scratchOf(this.store, key));
    const { open: unfinished, train: keptTraining } = scratch;
    const given = { ...context, ...options, backend: ortNode({ threads }), unfinished, keptTraining };
    try {
      const bench = await this.#bench(task, `${list} ${threads}`, given);
      const manifest = await runTask(key, task, this.store, { ...given, bench });
      await scratch.remove();
      return manifest;
    } catch (error) {
      await this.#benches.release();
      throw error;
    } finally {
      scratch.close();
    }
  }

  /** The sessions of tasks before take memory, so a task on the whole machine begins without. */
  async #bench(task: Task, place: string, context: TaskContext): Promise<Bench | undefined> {
    if (kindOf(task).cores === "one") return this.#benches.take(place, task, context);
    await this.#benches.release();
    return undefined;
  }

  #study(list: TaskKey): Promise<Study> {
    const study = this.#studies.get(list) ?? this.#open(list);
    this.#studies.set(list, study);
    return study;
  }

  async #open(key: TaskKey): Promise<Study> {
    const list = await readList(key, this.store);
    return {
      graph: graphOf(list),
      context: taskContext({ list, store: this.store, backend: ortNode(), root: this.root }),
    };
  }
}

/** The folder of what an unfinished task has. A store without a folder has it on this machine. */
export const scratchOf = ({ id, folder }: Pick<SharedStore, "id" | "folder">, key: TaskKey): string =>
  join(folder ?? join(tmpdir(), `dynn-${id}`), "scratch", key);

/** Parts of an unfinished attack, or the checkpoints of an unfinished training. */
class Scratch {
  #store: FolderStore | undefined;
  #lock: FolderLock | undefined;

  constructor(private readonly folder: string) {}

  /** @returns undefined while another process does the same task, which is harmless */
  readonly open = async (): Promise<FolderStore | undefined> => {
    this.#store = await folderStore(this.folder).catch((error: unknown) => {
      if (isLocked(error)) return undefined;
      throw error;
    });
    return this.#store;
  };

  /** Each run has a folder of its own. One lock holds all of them until the result is published.
   * Without it, another process could begin the first run anew while this one removes the folder.
   * @throws DynnError as `trainKept` */
  readonly train: NonNullable<TaskContext["keptTraining"]> = async (plan, training) => {
    this.#lock ??= await whenFree(async () => {
      await makeFolder(this.folder);
      return lockFolder(this.folder);
    });
    return trainKept(join(this.folder, `run-${training.run + 1}`), plan, training);
  };

  async remove(): Promise<void> {
    if (this.#store || this.#lock) await rm(this.folder, { recursive: true, force: true });
  }

  close(): void {
    this.#store?.close();
    this.#lock?.release();
  }
}
