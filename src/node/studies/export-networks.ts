/** @file Writes the networks that the tasks of a study have trained as ONNX files. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { StudyTasks } from "../../studies/study/builder.js";
import { NETWORK_FILE } from "../../studies/tasks/kinds/train.js";
import type { TaskStore } from "../../studies/tasks/store.js";
import { replaceFile } from "../output-files.js";

/** What was written. */
export interface ExportedNetworks {
  /** The paths of the files. */
  readonly written: readonly string[];
  /** Networks whose training is not done. */
  readonly left: readonly string[];
}

/** Writes each trained network as NAME.onnx. The file holds its card: the recipe, and the right
 * answers of every exit. Networks that the study took from elsewhere are not written.
 * @param folder is made when it does not exist
 * @throws DynnError 'file/unwritable', 'file/full', 'store/damaged', 'store/unreachable'
 * @example const { written } = await exportNetworks(compiled.tasks, store, "networks"); */
export async function exportNetworks(tasks: StudyTasks, store: TaskStore, folder: string): Promise<ExportedNetworks> {
  const [written, left]: [string[], string[]] = [[], []];
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(tasks.plan.networks)) {
    const key = tasks.trained(name);
    if (key === undefined) continue;
    const manifest = await store.manifest(key);
    if (!manifest) {
      left.push(name);
      continue;
    }
    const path = join(folder, `${name}.onnx`);
    await replaceFile(path, await store.file(manifest, NETWORK_FILE));
    written.push(path);
  }
  return { written, left };
}
