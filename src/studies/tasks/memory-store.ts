/** @file A store of results in memory, for one process. */
import { sha256 } from "../../core/digest.js";
import { present } from "../../core/present.js";
import type { Manifest, TaskResult, TaskStore } from "./store.js";
import type { Task, TaskKey } from "./task.js";

/** The manifest of a result.
 * @example manifestOf(key, task, { files: { "a.txt": bytes } }) */
export const manifestOf = (key: TaskKey, task: Task, { files, facts = {} }: TaskResult): Manifest => ({
  schemaVersion: 1,
  key,
  task,
  files: Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [name, { sha256: sha256(bytes), bytes: bytes.length }]),
  ),
  facts,
});

/** A store that ends with its process. */
export function memoryStore(): TaskStore {
  const manifests = new Map<TaskKey, Manifest>();
  const objects = new Map<string, Uint8Array>();
  return {
    manifest: async (key) => manifests.get(key),
    done: async (keys) => new Set(keys.filter((key) => manifests.has(key))),
    file: async ({ files }, name) => present(objects.get(present(files[name], name).sha256), name),
    publish: async (key, task, result) => {
      const known = manifests.get(key);
      if (known) return known;
      const manifest = manifestOf(key, task, result);
      for (const [name, bytes] of Object.entries(result.files)) objects.set(manifest.files[name].sha256, bytes);
      manifests.set(key, manifest);
      return manifest;
    },
  };
}
