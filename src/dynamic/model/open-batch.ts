/** @file Refuses a model that runs one image at a time, where a graph for any batch is needed. */
import { DynnError } from "../../core/errors.js";
import type { DynamicModel } from "./model.js";

/** @param work what needs an open batch, e.g. "a training step"
 * @throws DynnError 'model/batch' when the model runs one image at a time
 * @example
 * requireOpenBatch(model, "a training step"); */
export function requireOpenBatch({ name, oneByOne }: Pick<DynamicModel, "name" | "oneByOne">, work: string): void {
  if (oneByOne === undefined) return;
  throw new DynnError(
    "model/batch",
    `${name}: runs one image at a time, because ${oneByOne}, and ${work} needs larger batches. Export the model with a dynamic batch.`,
  );
}
