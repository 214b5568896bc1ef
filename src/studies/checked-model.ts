/** @file The check of a model's outputs before a study measures them. */
import { type Dataset, firstImages } from "../data/dataset.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { checkOutputs } from "../dynamic/run/outputs.js";
import type { Backend } from "../runtime/backend.js";

/** The options with a model whose outputs are logits, as a run on images of the data shows.
 * @param data images of the model's size ({@link fitData})
 * @throws DynnError 'model/classifier', 'runtime/load', 'runtime/run' */
export async function withCheckedModel<T extends { readonly model: DynamicModel; readonly backend: Backend }>(
  options: T,
  data: Dataset,
): Promise<T> {
  const { model, backend } = options;
  return { ...options, model: await checkOutputs(model, { backend, images: await firstImages(data) }) };
}
