/** @file Runs one task: reads the results of its inputs, works, and publishes its own result. */
import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { readNpy, writeNpy } from "../../data/npy.js";
import { checkedParquet, readParquet } from "../../data/parquet.js";
import { TABLE_COLUMNS } from "./columns.js";
import type { Content } from "./content.js";
import type { TaskContext, TaskInputs, TaskKind } from "./kind.js";
import { type Kinds, perform } from "./perform.js";
import type { Manifest, TaskStore } from "./store.js";
import { TASK_KINDS } from "./table.js";
import type { Task, TaskKey } from "./task.js";

/** Runs a task, unless the store has its result.
 * @param kinds the known kinds
 * @returns the manifest that stands in the store
 * @throws DynnError 'study/version' when another version of dynn made the task, and the errors of
 *  the kind and of the store */
export async function runTask(
  key: TaskKey,
  task: Task,
  store: TaskStore,
  context: TaskContext,
  kinds: Kinds = TASK_KINDS,
): Promise<Manifest> {
  const known = await store.manifest(key);
  if (known) return known;
  const kind = kindOf(task, kinds);
  const { files, facts } = await perform(kind, { key, task }, inputsFrom(task, store), context);
  const written = await Promise.all(
    Object.entries(files).map(async ([name, content]) => [name, await bytesOf(content, name)] as const),
  );
  return store.publish(key, task, { files: Object.fromEntries(written), facts });
}

/** The kind of a task.
 * @throws DynnError 'study/version' */
export function kindOf(task: Pick<Task, "kind" | "version">, kinds: Kinds = TASK_KINDS): TaskKind {
  const kind = Object.hasOwn(kinds, task.kind) ? kinds[task.kind] : undefined;
  if (kind?.version === task.version) return kind;
  throw new DynnError(
    "study/version",
    `task ${task.kind}, version ${task.version}: this version of dynn has ${kind ? `version ${kind.version} of it` : "no such kind"}. Use the version of dynn that made the plan, or make the plan again.`,
    { kind: task.kind, version: task.version },
  );
}

/** The bytes of a file: Parquet, .npy, or as they are. */
export async function bytesOf(content: Content, file: string): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content;
  return "rows" in content ? checkedParquet(content.rows, columnsOf(file)) : writeNpy(content);
}

const columnsOf = (file: string) => present(TABLE_COLUMNS[file], `the columns of ${file}`);

function inputsFrom({ inputs }: Task, store: TaskStore): TaskInputs {
  const keysOf = (name: string): readonly TaskKey[] => (Object.hasOwn(inputs, name) ? inputs[name] : []);
  const files = (name: string, file: string): Promise<Uint8Array[]> =>
    Promise.all(
      keysOf(name).map(async (key) =>
        store.file(present(await store.manifest(key), `the result of input ${name}`), file),
      ),
    );
  return {
    files,
    arrays: async (name, file) => (await files(name, file)).map((bytes) => readNpy(bytes, file)),
    optional: (name, file) =>
      Promise.all(
        keysOf(name).map(async (key) => {
          const manifest = present(await store.manifest(key), `the result of input ${name}`);
          if (!Object.hasOwn(manifest.files, file)) return undefined;
          return readNpy(await store.file(manifest, file), file);
        }),
      ),
    tables: async (name, file) =>
      Promise.all((await files(name, file)).map((bytes) => readParquet(bytes, columnsOf(file), file))) as Promise<
        never[][]
      >,
  };
}
