/** @file The images that an export is compared on: those of the call, else the bundled sample, else random ones. */

import { imageDims } from "../../core/images.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import { checkSize } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";

export interface VerificationImages {
  /** Undefined: random ones. */
  readonly pixels: Float32Array | undefined;
  /** Where they come from, for people. */
  readonly from: string;
}

/** @param data what the call names
 * @throws DynnError 'data/shape' when these are of another shape than the model takes */
export async function verificationImages(
  model: DynamicModel,
  data: Dataset | undefined,
  samples: number,
): Promise<VerificationImages> {
  const wanted = imageDims(model).join();
  if (data) checkSize(model, data);
  const chosen = data ?? (await openDataset("sample"));
  if (chosen.shape.join() !== wanted)
    return {
      pixels: undefined,
      from: `random images (the bundled sample is [${chosen.shape}], the model takes [${wanted}])`,
    };
  const count = Math.min(samples, chosen.count);
  const { data: pixels } = await readImages(chosen, [...Array(count).keys()]);
  return { pixels, from: chosen.name };
}
