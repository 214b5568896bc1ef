/** @file Opens a store by its text. */
import { folderTaskStore } from "./folder.js";
import type { SharedStore } from "./shared.js";

/** Opens a store: the path of a folder.
 * @throws DynnError 'file/unwritable', 'file/full', 'study/version', 'store/damaged'
 * @example const store = await openStore("study.store"); */
export const openStore = (spec: string): Promise<SharedStore> => folderTaskStore(spec);
