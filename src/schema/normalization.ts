/** @file Normalisation of an image: (x - mean) / std, per channel, on pixels in [0,1]. */
import { z } from "zod";

export const normalizationSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
});

/** The operation of a graph on pixels in [0,1]: (pixel - mean) / std, per channel. */
export interface Normalization {
  /** Mean of each channel. */ readonly mean: readonly number[];
  /** Standard deviation of each channel. */ readonly std: readonly number[];
}
