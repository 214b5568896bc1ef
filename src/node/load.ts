/** @file Reads dynamic models from disk or from the zoo. */

import { fileURLToPath } from "node:url";
import { DynnError } from "../core/errors.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import { openOnnx } from "./models.js";

/** Read a classifier with one exit or many from an ONNX file, or from the zoo. The model's name is
 * the name of the file or its name in the zoo, unless `options` give another.
 * @param from the path of a file, a file URL, or zoo:NAME
 * @throws DynnError as `loadModel` and `dynamicModel` do; 'zoo/unknown', 'zoo/missing',
 *  'call/argument'
 * @example
 * ```ts
 * import { load } from "dynn/node";
 *
 * const model = await load("model.onnx");
 * for (const { name, costFraction } of model.exits) console.log(name, costFraction);
 * ```
 */
export async function load(from: string | URL, options: ModelOptions = {}): Promise<DynamicModel> {
  if (typeof from !== "string" && !(from instanceof URL))
    throw new DynnError(
      "call/argument",
      `load: got ${typeof from}, expected the path of a file, or zoo:NAME. Give one.`,
      {
        got: typeof from,
      },
    );
  const { source, name } = await openOnnx(from instanceof URL ? fileURLToPath(from) : from);
  return dynamicModel(source, { name: name.replace(/\.onnx$/, ""), ...options });
}
