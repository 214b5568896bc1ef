/** @file A store of results over anything that keeps bytes by name: a folder, or a bucket. Files
 *  are named by their digest, and manifests by the key of their task. */
import { randomUUID } from "node:crypto";
import { sha256 } from "../../core/digest.js";
import { VERSION } from "../../core/version.js";
import { manifestOf } from "../../studies/tasks/memory-store.js";
import type { Manifest } from "../../studies/tasks/store.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { ABOUT_FILE, aboutStore, checkAbout, damaged, manifestBytes, parseManifest } from "./manifest.js";
import type { SharedStore } from "./shared.js";

/** Bytes by name. A name is a path with "/". Bytes appear whole or not at all. */
export interface Blobs {
  /** @throws DynnError 'store/unreachable' */
  readonly get: (name: string) => Promise<Uint8Array | undefined>;
  /** Keeps bytes under a name, unless it has bytes already. Of several processes, one wins.
   * @throws DynnError 'file/full', 'file/unwritable', 'store/unreachable' */
  readonly putOnce: (name: string, bytes: Uint8Array) => Promise<void>;
  readonly has: (name: string) => Promise<boolean>;
  /** The names directly in a folder, without its path.
   * @throws DynnError 'store/unreachable' */
  readonly list: (folder: string) => Promise<string[]>;
  /** The place of a name, for messages. */
  readonly place: (name: string) => string;
}

const manifestName = (key: TaskKey): string => `tasks/${key}.json`;
/** The name of a file of a result, by its digest. */
export const objectName = (digest: string): string => `objects/${digest.slice(0, 2)}/${digest}`;

/** Opens a store. It is made when it does not exist.
 * @throws DynnError 'study/version', 'store/damaged', and those of the bytes */
export async function blobStore(blobs: Blobs): Promise<SharedStore> {
  await blobs.putOnce(ABOUT_FILE, aboutStore(VERSION, randomUUID()));
  const about = (await blobs.get(ABOUT_FILE)) ?? new Uint8Array();
  const id = checkAbout(about, VERSION, blobs.place(ABOUT_FILE));
  const manifest = (key: TaskKey) => readManifest(blobs, key);
  return {
    id,
    manifest,
    done: (keys) => doneIn(blobs, keys),
    file: (of, name) => readObject(blobs, of, name),
    publish: async (key, task, result) => {
      const known = await manifest(key);
      if (known) return known;
      const made = manifestOf(key, task, result);
      for (const [name, bytes] of Object.entries(result.files))
        await blobs.putOnce(objectName(made.files[name].sha256), bytes);
      await blobs.putOnce(manifestName(key), manifestBytes(made));
      return (await manifest(key)) ?? made;
    },
  };
}

async function readManifest(blobs: Blobs, key: TaskKey): Promise<Manifest | undefined> {
  const name = manifestName(key);
  const bytes = await blobs.get(name);
  return bytes && parseManifest(bytes, blobs.place(name));
}

async function doneIn(blobs: Blobs, keys: readonly TaskKey[]): Promise<Set<TaskKey>> {
  if (keys.length === 1) return new Set((await blobs.has(manifestName(keys[0]))) ? keys : []);
  const names = new Set(await blobs.list("tasks"));
  return new Set(keys.filter((key) => names.has(`${key}.json`)));
}

async function readObject(blobs: Blobs, { files }: Manifest, name: string): Promise<Uint8Array> {
  const expected = files[name];
  if (!expected) throw new Error(`bug: the result has no file ${name}`);
  const object = objectName(expected.sha256);
  const bytes = await blobs.get(object);
  if (!bytes) throw damaged(blobs.place(object), "is missing");
  if (sha256(bytes) !== expected.sha256)
    throw damaged(blobs.place(object), `has ${bytes.length} bytes of other content`);
  return bytes;
}
