/** @file Opens a store by its text. */
import { folderTaskStore } from "./folder.js";
import type { SharedStore } from "./shared.js";

/** Opens a store: the path of a folder, or s3://BUCKET/PREFIX with access from the environment.
 * @throws DynnError 'file/unwritable', 'file/full', 'study/version', 'study/value',
 *  'store/damaged', 'store/unreachable'
 * @example const store = await openStore("study.store"); */
export async function openStore(spec: string): Promise<SharedStore> {
  if (!spec.startsWith("s3://")) return folderTaskStore(spec);
  const { accessFrom, s3TaskStore } = await import("./s3.js");
  return s3TaskStore(spec, accessFrom(process.env, spec));
}
