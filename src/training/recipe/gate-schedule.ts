/** @file What gates are fed at each step of a run: how much noise scores take, and the bounds on
 *  open rates. Source: Verelst & Tuytelaars 2020, section 3.3; here bounds stay off 0 and 1, and
 *  the noise shrinks (docs/decisions/0020). */
import type { GateInputs } from "../step/runner.js";
import type { GatesConfig } from "./config.js";

/** The bounds start at the target and end at the floor and 1 - floor. A gate whose rate comes from
 * noise alone would keep the bounds without reading its image. So the noise shrinks, and stops for
 * the last part of the run, where the gates are those that are deployed.
 * @param progress done share of the run, in [0,1)
 * @returns undefined for gates that are not fed
 * @example
 * gateInputs({ kind: "budget", target: 0.5, weight: 10, relax: 1 / 3, floor: 0.1, quiet: 0.2 }, 0);
 * // { noise: 1, bounds: [0.5, 0.5] } */
export function gateInputs(config: GatesConfig | undefined, progress: number): GateInputs | undefined {
  if (config?.kind !== "budget") return undefined;
  const { target, relax, floor, quiet } = config;
  const tight = relax > 0 ? Math.cos((Math.PI / 2) * Math.min(1, progress / relax)) ** 2 : 0;
  const [lowest, highest] = [Math.min(floor, target), Math.max(1 - floor, target)];
  return {
    noise: progress < 1 - quiet ? 1 - progress / (1 - quiet) : 0,
    bounds: [lowest + tight * (target - lowest), highest - tight * (highest - target)],
  };
}
