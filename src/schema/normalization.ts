/** @file Normalisation of an image: (x - mean) / std, per channel, on pixels in [0,1]. */
import { z } from "zod";

export const normalizationSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
});

/** What a graph does to pixels in [0,1]: (pixel - mean) / std, per channel. */
export interface Normalization {
  /** Of each channel. */
  readonly mean: readonly number[];
  /** Of each channel. */
  readonly std: readonly number[];
}
