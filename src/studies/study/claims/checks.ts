/** @file Checks that the experiment could have told something: assay checks that the study made,
 *  and controls whose place is known. */
import {
  type Check,
  type Claim,
  type ClaimsPlan,
  type Control,
  NOT_RUN,
  type Scale,
} from "../../../schema/study/claims.js";
import { effectOf } from "./effect.js";
import { range, size } from "./numbers.js";
import type { ClaimData } from "./table.js";

/** All checks of a claim, in the order of the plan.
 * @throws DynnError `claims/data` for tables that do not fit a control */
export const checksOf = (claim: Claim, data: ClaimData, plan: ClaimsPlan): Check[] => [
  ...claim.checks.map((name) => assay(name, data.checks ?? [])),
  ...claim.controls.map((control) => runControl(control, data, plan, claim.endpoints[0].scale)),
];

const assay = (name: string, results: readonly Check[]): Check =>
  results.find((result) => result.name === name) ?? { name, passed: false, detail: NOT_RUN };

function runControl({ name, estimate, side, bound }: Control, data: ClaimData, plan: ClaimsPlan, scale: Scale): Check {
  const { interval, effect } = effectOf(estimate, data.blocks, plan);
  if (interval === null)
    return {
      name,
      passed: false,
      detail: `${size(effect, scale)} in ${data.blocks.length} block, which has no interval`,
    };
  const passed = side === "above" ? interval[0] > bound : interval[1] < bound;
  return { name, passed, detail: `${range(interval, scale)} must lie ${side} ${size(bound, scale)}` };
}
