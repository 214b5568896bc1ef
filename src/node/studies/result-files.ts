/** @file The files of finished tasks on this machine, for programs that read paths. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Manifest } from "../../studies/tasks/store.js";
import { objectName } from "../store/blobs.js";
import { damaged } from "../store/manifest.js";
import type { SharedStore } from "../store/shared.js";

/** Where files of results lie. */
export interface ResultFiles {
  /** The folder that holds all of them. */
  readonly folder: string;
  /** The path of a file of a task. Two tasks with the same bytes can have the same path.
   * @throws DynnError 'store/damaged', 'store/unreachable' */
  readonly path: (manifest: Manifest, name: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Finds the files of a store. Those of a bucket are copied to a temporary folder until `close`. */
export const resultFiles = (store: SharedStore): Promise<ResultFiles> =>
  store.folder === undefined ? copied(store) : Promise.resolve(inPlace(resolve(store.folder)));

const inPlace = (folder: string): ResultFiles => ({
  folder: join(folder, "objects"),
  path: async ({ files }, name) => {
    const path = join(folder, objectName(files[name].sha256));
    if (!existsSync(path)) throw damaged(path, "is missing");
    return path;
  },
  close: async () => undefined,
});

async function copied(store: SharedStore): Promise<ResultFiles> {
  const folder = await mkdtemp(join(tmpdir(), "dynn-query-"));
  return {
    folder,
    path: async (manifest, name) => {
      const path = join(folder, manifest.files[name].sha256);
      if (!existsSync(path)) await writeFile(path, await store.file(manifest, name));
      return path;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
