/** @file All tasks of a study in one document, with the places of networks and records. Workers
 *  on other machines read it from the store. */
import { z } from "zod";
import { sha256 } from "../../core/digest.js";
import { DynnError } from "../../core/errors.js";
import { TaskGraph } from "./graph.js";
import type { TaskStore } from "./store.js";
import { canonicalJson, type Json, type Task, type TaskKey } from "./task.js";

const place = z.strictObject({ name: z.string(), spec: z.string() });

const taskSchema = z.strictObject({
  kind: z.string(),
  version: z.number().int(),
  parameters: z.record(z.string(), z.json()),
  inputs: z.record(z.string(), z.array(z.string())),
});

const taskListSchema = z.strictObject({
  schemaVersion: z.literal(1),
  tasks: z.array(taskSchema),
  networks: z.record(z.string(), place).describe("path or zoo name of each network, by digest"),
  data: z.record(z.string(), place).describe("data spec of the records, by digest"),
  training: z
    .record(z.string(), place.extend({ test: z.string().nullable() }))
    .optional()
    .describe("data specs of the records that networks are trained on, by digest"),
});

/** The tasks of a study, each behind its inputs, with the places of networks and records. */
export interface TaskList {
  readonly schemaVersion: 1;
  readonly tasks: readonly Task[];
  readonly networks: { readonly [sha256: string]: { readonly name: string; readonly spec: string } };
  readonly data: { readonly [sha256: string]: { readonly name: string; readonly spec: string } };
  readonly training?:
    | {
        readonly [sha256: string]: { readonly name: string; readonly spec: string; readonly test: string | null };
      }
    | undefined;
}

const LIST_FILE = "tasks.json";
const task = (digest: string): Task => ({ kind: "task-list", version: 1, parameters: { digest }, inputs: {} });

/** The key under which a store keeps a list. */
export const listKey = (list: TaskList): TaskKey =>
  sha256(new TextEncoder().encode(canonicalJson(list as unknown as Json)));

/** Publishes a list, so that workers find it.
 * @returns its key
 * @throws DynnError as `TaskStore.publish` */
export async function publishList(list: TaskList, store: TaskStore): Promise<TaskKey> {
  const key = listKey(list);
  const bytes = new TextEncoder().encode(canonicalJson(list as unknown as Json));
  await store.publish(key, task(key), { files: { [LIST_FILE]: bytes } });
  return key;
}

/** Reads a published list.
 * @throws DynnError 'study/value' when the store has none under this key */
export async function readList(key: TaskKey, store: TaskStore): Promise<TaskList> {
  const manifest = await store.manifest(key);
  if (!manifest)
    throw new DynnError(
      "study/value",
      `the store has no list of tasks ${key}. Give the store of the study, and start the study before its workers.`,
      { key },
    );
  const json: unknown = JSON.parse(new TextDecoder().decode(await store.file(manifest, LIST_FILE)));
  return taskListSchema.parse(json);
}

/** The graph of a list. */
export function graphOf({ tasks }: Pick<TaskList, "tasks">): TaskGraph {
  const graph = new TaskGraph();
  for (const each of tasks) graph.add(each);
  return graph;
}
