/** @file Normalisation of an image: (x - mean) / std, per channel, on pixels in [0,1]. */
import { z } from "zod";

export const normalizationSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
});

export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
