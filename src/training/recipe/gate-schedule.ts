/** @file What gates are fed at each step of a run: whether scores take noise, and the bounds on
 *  open rates. Source: Verelst & Tuytelaars 2020, section 3.3. */
import type { GateInputs } from "../step/runner.js";
import type { GatesConfig } from "./config.js";

/** The bounds start at the target and end at 0 and 1. Noise stops for the last part of the run, so
 * that training ends with the gates that are deployed.
 * @param progress done share of the run, in [0,1)
 * @returns undefined for gates that are not fed
 * @example
 * gateInputs({ kind: "budget", target: 0.5, weight: 10, relax: 1 / 3, quiet: 0.2 }, 0);
 * // { noise: true, bounds: [0.5, 0.5] } */
export function gateInputs(config: GatesConfig | undefined, progress: number): GateInputs | undefined {
  if (config?.kind !== "budget") return undefined;
  const { target, relax, quiet } = config;
  const tight = relax > 0 ? Math.cos((Math.PI / 2) * Math.min(1, progress / relax)) ** 2 : 0;
  return { noise: progress < 1 - quiet, bounds: [tight * target, 1 - tight * (1 - target)] };
}
