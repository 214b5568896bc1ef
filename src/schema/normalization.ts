/** @file Normalisation of an image: (x - mean) / std, per channel, on pixels in [0,1]. */
import { z } from "zod";

/** A smaller standard deviation is a slip: pixels would reach beyond a million, and in float32 it
 * may be zero. */
export const LEAST_STD = 1e-6;

/** Whether both lists have one number for each channel, and every std can be divided by.
 * @param channels left out: any number, the same for both */
export const isNormalization = ({ mean, std }: Normalization, channels = mean.length): boolean =>
  mean.length > 0 &&
  mean.length === channels &&
  std.length === channels &&
  mean.every(Number.isFinite) &&
  std.every((s) => s >= LEAST_STD && Number.isFinite(s));

export const normalizationSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().min(LEAST_STD)).min(1),
});

/** The operation of a graph on pixels in [0,1]: (pixel - mean) / std, per channel. */
export interface Normalization {
  /** Mean of each channel. */ readonly mean: readonly number[];
  /** Standard deviation of each channel. */ readonly std: readonly number[];
}
