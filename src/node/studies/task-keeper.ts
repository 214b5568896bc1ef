/** @file Keeps the results of a command's tasks in a folder, in the form of a study's store. */
import { sha256 } from "../../core/digest.js";
import type { Dataset } from "../../data/dataset.js";
import { readNpy } from "../../data/npy.js";
import { readParquet } from "../../data/parquet.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { TABLE_COLUMNS } from "../../studies/tasks/columns.js";
import type { Content } from "../../studies/tasks/content.js";
import { KeptTasks, type TaskKeeper, type TaskShelf } from "../../studies/tasks/kept-tasks.js";
import { bytesOf } from "../../studies/tasks/run.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import { openStore } from "../store/open.js";
import { networkDigest, recordsDigest } from "./context.js";

/** Opens a folder, or a bucket, for the results of tasks.
 * @throws DynnError as `openStore`
 * @example await audit({ ...options, kept: await taskKeeper("results") }); */
export async function taskKeeper(place: string): Promise<TaskKeeper> {
  const shelf = shelfIn(await openStore(place));
  return (named) => new KeptTasks(shelf, named);
}

function shelfIn(store: TaskStore): TaskShelf {
  return {
    networkDigest: modelDigest,
    dataDigest: async (data) => textDigest([await recordsDigest(data, everyRow(data)), data.classes ?? null]),
    find: async (key) => {
      const manifest = await store.manifest(key);
      if (!manifest) return undefined;
      const files = await Promise.all(
        Object.keys(manifest.files).map(async (name) => [name, await contentOf(store, manifest, name)] as const),
      );
      return { files: Object.fromEntries(files), facts: manifest.facts };
    },
    keep: async ({ key, task }, { files, facts }) => {
      const written = Object.entries(files).map(
        async ([name, content]) => [name, await bytesOf(content, name)] as const,
      );
      await store.publish(key, task, { files: Object.fromEntries(await Promise.all(written)), facts });
    },
  };
}

type Manifest = Parameters<TaskStore["file"]>[0];

async function contentOf(store: TaskStore, manifest: Manifest, name: string): Promise<Content> {
  const bytes = await store.file(manifest, name);
  if (name.endsWith(".npy")) return readNpy(bytes, name);
  if (!Object.hasOwn(TABLE_COLUMNS, name)) return bytes;
  return { rows: await readParquet(bytes, TABLE_COLUMNS[name], name) };
}

const everyRow = ({ count }: Dataset): number[] => Array.from({ length: count }, (_, i) => i);

const textDigest = (value: unknown): string => sha256(new TextEncoder().encode(JSON.stringify(value)));

/** Two choices of exits on one file are two networks. */
const modelDigest = ({ graph, exits, gates, classes, classNames, input }: DynamicModel): string =>
  textDigest([
    networkDigest({ graph }),
    ...[
      classes,
      classNames ?? null,
      input.name,
      exits.map(({ name, output, logits, macs }) => [name, output, logits, macs]),
      gates,
    ],
  ]);
