/** @file What a task leaves before a store makes bytes of it: tables, arrays, or bytes. A store of
 *  files writes tables as Parquet and arrays as .npy. In one process they stay as they are. */
import type { Tensor } from "../../core/tensor.js";
import type { Manifest } from "./store.js";

/** Rows of a table. The name of its file says which columns it has. */
export interface Table<Row extends object = object> {
  readonly rows: readonly Row[];
}

/** A file of a result before it is bytes. */
export type Content = Uint8Array | Tensor | Table;

/** The result of a task before it is published. */
export interface TaskOutput {
  /** Contents by file name. The same task gives the same contents, unless its kind measures
   * times. */
  readonly files: { readonly [name: string]: Content };
  readonly facts?: Manifest["facts"] | undefined;
}
