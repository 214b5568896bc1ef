/** @file The check that a study makes of a model before it believes its outputs. */
import { type Dataset, readImages } from "../data/dataset.js";
import { checkFit } from "../data/fit.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { checkOutputs } from "../dynamic/run/outputs.js";
import type { Backend } from "../runtime/backend.js";

/** Records that are looked at. */
const LOOKED_AT = 16;

/** The options with a model whose outputs are logits, as seen on real images of the data.
 * @throws DynnError 'data/shape', 'data/label', 'model/classifier' */
export async function withCheckedModel<T extends { readonly model: DynamicModel; readonly backend: Backend }>(
  options: T,
  data: Dataset,
): Promise<T> {
  const { model, backend } = options;
  checkFit(model, data);
  const records = Array.from({ length: Math.min(LOOKED_AT, data.count) }, (_, i) => i);
  return { ...options, model: await checkOutputs(model, backend, await readImages(data, records)) };
}
