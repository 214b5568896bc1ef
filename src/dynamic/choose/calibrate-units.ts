/** @file Chooses the thresholds of exits and gates together. All gates have one threshold, so all
 *  scores move by one offset. Moving it changes later scores and logits, so each offset that is
 *  tried is measured by itself. */
import { ALWAYS_OPEN } from "../../schema/policy.js";
import {
  bestOf,
  type Calibration,
  type CalibrationRequest,
  type Candidates,
  candidatesOf,
  check,
  goalOf,
} from "./calibrate.js";
import type { WorstBounds } from "./goal.js";
import { type Measured, readExits } from "./readings.js";

/** Labelled samples that can be measured under any thresholds of the gates. */
export interface MeasuredUnits {
  /** The samples under these thresholds, one per gate. */
  readonly at: (gates: readonly number[]) => Promise<Measured>;
}

/** The request of {@link calibrateUnits}. */
export interface UnitRequest extends Omit<CalibrationRequest, "worstCase"> {
  /** Number of gates. */
  readonly gates: number;
  readonly worstCase?: (WorstBounds & { readonly attacked: readonly MeasuredUnits[] }) | undefined;
}

/** Chooses the thresholds of exits and gates for a target. All gates have one threshold, which
 * moves all scores by one offset. Each offset is measured by itself, because it changes later
 * scores and logits. The target rad compares with the final exit under the gates' own thresholds
 * of 0. A network without gates is measured once, as {@link calibrate} does.
 * @throws DynnError as {@link calibrate} does, or what `validation` throws */
export async function calibrateUnits(validation: MeasuredUnits, request: UnitRequest): Promise<Calibration> {
  const all = (threshold: number): number[] => new Array<number>(request.gates).fill(threshold);
  const own = await validation.at(all(0));
  check(own, request);
  const goal = goalOf(readExits(own, request), request);
  const found: Candidates[] = [];
  for (const threshold of offsetsOf(own)) {
    const gates = all(threshold);
    const attacked = await Promise.all((request.worstCase?.attacked ?? []).map((set) => set.at(gates)));
    const worstCase = request.worstCase && { ...request.worstCase, attacked };
    const clean = readExits(await validation.at(gates), request);
    found.push(candidatesOf(clean, { ...request, worstCase }, goal, request.gates > 0 ? gates : undefined));
  }
  return bestOf(found, goal, request);
}

/** Offsets of the gates: quantiles of all scores. */
const OFFSETS = 10;

/** Thresholds to try for all gates: 0, always open, and values that split the scores into equal
 * parts. */
function offsetsOf({ logits: { gates } }: Measured): number[] {
  const scores = Float32Array.from(gates.flatMap((gate) => [...gate.scores])).sort();
  if (scores.length === 0) return [0];
  const quantiles = Array.from({ length: OFFSETS + 1 }, (_, i) =>
    Math.fround(scores[Math.round((i * (scores.length - 1)) / OFFSETS)]),
  );
  return [...new Set([ALWAYS_OPEN, 0, ...quantiles.filter(Number.isFinite)])];
}
