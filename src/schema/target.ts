/** @file The target of a calibration: an accuracy to keep, a mean cost, or a mean time. Sources:
 *  Kaya et al. 2019; Hong et al. 2021 (RAD). */
import { z } from "zod";
import { parseQuantity } from "../core/units.js";
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

/** Reads a target such as "rad:5%" or "budget:50%".
 * @returns undefined for any other text
 * @throws DynnError 'cli/value' for a share outside 0 to 1
 * @example readShareTarget("rad:5%") // { kind: "rad", loss: 0.05 } */
export function readShareTarget(text: string): CalibrationTarget | undefined {
  const [, kind, amount] = /^(rad|budget):(.+)$/.exec(text) ?? [];
  if (kind === undefined) return undefined;
  const value = parseQuantity(amount, text);
  const target = targetSchema.parse(kind === "rad" ? { kind, loss: value } : { kind, cost: value });
  return target;
}
