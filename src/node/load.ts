/** @file Reads dynamic models from disk. */

import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import { loadModel } from "./onnx-files.js";

/** Read a classifier with one exit or many from an ONNX file. The model's name is the name of the
 *  file, unless `options` give another.
 * @throws DynnError as `loadModel` and `dynamicModel` do
 * @example
 * ```ts
 * import { load } from "dynn/node";
 *
 * const model = await load("model.onnx");
 * for (const { name, costFraction } of model.exits) console.log(name, costFraction);
 * ```
 */
export async function load(path: string, options: ModelOptions = {}): Promise<DynamicModel> {
  const name = (path.split(/[/\\]/).at(-1) as string).replace(/\.onnx$/, "");
  return dynamicModel(await loadModel(path), { name, ...options });
}
