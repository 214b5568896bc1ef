/** @file The images on which an export is compared: those of the call, else the bundled sample,
 *  else random images. */

import { imageDims } from "../../core/images.js";
import { withChannels } from "../../data/channels.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import { fitImages } from "../../data/fit.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";

export interface VerificationImages {
  /** Undefined for random images. */
  readonly pixels: Float32Array | undefined;
  /** Where the images come from, in words. */
  readonly from: string;
}

/** @param data the data spec of the call
 * @throws DynnError 'data/shape' when its images have another shape than the model takes */
export async function verificationImages(
  model: DynamicModel,
  data: Dataset | undefined,
  samples: number,
): Promise<VerificationImages> {
  const wanted = imageDims(model).join();
  const chosen = data ? fitImages(model, data) : withChannels(await openDataset("sample"), imageDims(model)[0]);
  if (chosen.shape.join() !== wanted)
    return {
      pixels: undefined,
      from: `random images (the bundled sample is [${chosen.shape}], but the model takes [${wanted}])`,
    };
  const count = Math.min(samples, chosen.count);
  const { data: pixels } = await readImages(chosen, [...Array(count).keys()]);
  return { pixels, from: chosen.name };
}
