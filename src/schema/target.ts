/** @file The target of a calibration: an accuracy to keep, a mean cost, or a mean time. Sources:
 *  Kaya et al. 2019; Hong et al. 2021 (RAD). */
import { z } from "zod";
import { share } from "./numbers.js";

export const targetSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("rad"), loss: share }),
  z.object({ kind: z.literal("budget"), cost: share }),
  z.object({ kind: z.literal("latency"), milliseconds: z.number().positive() }),
]);

/** The target of a calibration: an accuracy to keep, a mean cost, or a mean time. */
export type CalibrationTarget =
  /** The cheapest policy that loses at most this share of the final exit's accuracy. */
  | { readonly kind: "rad"; readonly loss: number }
  /** The most accurate policy whose mean cost is at most this share of the full network's cost. */
  | { readonly kind: "budget"; readonly cost: number }
  /** The most accurate policy whose mean time per sample is at most this number of milliseconds. */
  | { readonly kind: "latency"; readonly milliseconds: number };

/** The default target: lose at most 5 % of the final exit's accuracy. */
export const DEFAULT_TARGET: CalibrationTarget = { kind: "rad", loss: 0.05 };
