/** @file The check of a model's outputs before a study measures them. */
import { type Dataset, readImages } from "../data/dataset.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { checkOutputs } from "../dynamic/run/outputs.js";
import type { Backend } from "../runtime/backend.js";

/** Number of records that are run for the check. */
const LOOKED_AT = 16;

/** The options with a model whose outputs are logits, as a run on images of the data shows.
 * @param data images of the model's size ({@link fitData})
 * @throws DynnError 'model/classifier', 'runtime/load', 'runtime/run' */
export async function withCheckedModel<T extends { readonly model: DynamicModel; readonly backend: Backend }>(
  options: T,
  data: Dataset,
): Promise<T> {
  const { model, backend } = options;
  const records = Array.from({ length: Math.min(LOOKED_AT, data.count) }, (_, i) => i);
  return { ...options, model: await checkOutputs(model, backend, await readImages(data, records)) };
}
