/** @file The policy and the split exit of `dynn export`, from the call or else from the model. */

import { DynnError } from "../../core/errors.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Policy, Threshold } from "../../schema/policy.js";
import { givenPolicy, ruleOf } from "../../studies/policy.js";
import type { RuleFlags } from "../shared/policy-options.js";

/** The policy to export.
 * @throws DynnError 'policy/value' when neither call nor model gives thresholds for the rule */
export function exportPolicy(
  flags: RuleFlags & { readonly threshold?: readonly Threshold[] },
  model: DynamicModel,
): Policy {
  const policy = givenPolicy({ ...flags, thresholds: flags.threshold }, model);
  if (policy) return policy;
  const { rule } = ruleOf(flags, model);
  if (model.policy?.rule === rule) return { ...model.policy, ...ruleOf(flags, model) };
  throw new DynnError(
    "policy/value",
    `${model.name}: has no thresholds for rule ${rule}, and the call does not give thresholds. Add --threshold, or choose them with \`dynn calibrate\`.`,
    { rule },
  );
}

/** The number of an exit from its name or number (from 0).
 * @throws DynnError 'cli/value' */
export function exitNumber(text: string, { exits, name }: Pick<DynamicModel, "exits" | "name">): number {
  const named = exits.findIndex((exit) => exit.name === text);
  const number = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : -1;
  if (number >= 0 && number < exits.length - 1) return number;
  const early = exits.slice(0, -1).map((exit) => exit.name);
  throw new DynnError(
    "cli/value",
    `--at: got "${text}", expected an early exit of ${name}: ${early.join(", ") || "it has none"}. Write e.g. --at ${early[0] ?? "exit0"}.`,
    { at: text, exits: early },
  );
}
