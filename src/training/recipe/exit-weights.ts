/** @file The coefficient of each exit's loss during training. Source: Kaya et al. 2019, section 4
 *  ("SDN training"). */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import type { ExitWeights } from "./config.js";

/** The first coefficient of every early exit. */
const RAMP_START = 0.01;

/** One coefficient per exit, with the final exit.
 * @param costFractions each exit's cost as a share of the final exit's cost, in order of the exits
 * @param progress done share of the run, in [0,1]
 * @throws DynnError 'training/config' when the number of given coefficients is not the number of
 *  exits */
export function exitWeights(
  config: ExitWeights,
  costFractions: readonly number[],
  progress: number,
): readonly number[] {
  if (config === "equal") return costFractions.map(() => 1);
  if (config === "ramp") {
    const final = costFractions.length - 1;
    return costFractions.map((nominal, k) => (k === final ? 1 : RAMP_START + (nominal - RAMP_START) * progress));
  }
  if (config.length === costFractions.length) return config;
  throw new DynnError(
    "training/config",
    `exit weights: got ${counted(config.length, "number")} for ${counted(costFractions.length, "exit")}. Give one per exit, the final one included.`,
    { weights: config, exits: costFractions.length },
  );
}
