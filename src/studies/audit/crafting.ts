/** @file What changes when the attacks of an audit search on a surrogate. */

import type { SampleOutcome } from "../../attacks/attack.js";
import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import { cleanOf, type Sample } from "../../attacks/sample.js";
import type { AttackConfig, ConfiguredAttack } from "../../attacks/spec.js";
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { counted } from "../../core/units.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import type { Surrogate } from "./options.js";

/** The entry as it runs on a surrogate. */
export const onSurrogate = (config: AttackConfig, { form }: Surrogate): AttackConfig => ({
  ...transferable(config),
  ...(form === "losses" && (config.goal ?? "misclassify:final") === "misclassify:final" ? { goal: "average" } : {}),
});

/** An attack that stops at the first success ends just beyond the surrogate's boundary, and hardly
 * transfers. So the last iterate is taken where the method offers it. */
export function transferable(config: AttackConfig): AttackConfig {
  const parameters = METHODS[(config.method ?? "pgd") as MethodName]?.parameters ?? {};
  return "iterate" in parameters && config.iterate === undefined ? { ...config, iterate: "last" } : config;
}

/** @throws DynnError 'transfer/mismatch' */
export function checkAlike(
  target: DynamicModel,
  other: DynamicModel,
  role: "surrogate" | "baseline" = "surrogate",
): void {
  const what = ({ input, classes }: DynamicModel) =>
    `images ${showShape(input.shape.slice(1))} and ${counted(classes, "class", "classes")}`;
  const names = ({ classNames }: DynamicModel) => classNames?.join("\n");
  const sameNames = [names(target), names(other)].includes(undefined) || names(target) === names(other);
  if (what(target) === what(other) && sameNames) return;
  throw new DynnError(
    "transfer/mismatch",
    `${role} ${other.name}: takes ${what(other)}${sameNames ? "" : " with other names"}, but ${target.name} takes ${what(target)}. Give a ${role} for the same images and classes.`,
    { target: target.name, [role]: other.name, options: [role] },
  );
}

/** The outcomes on the audited model: a sample is eligible when the goal does not hold there. */
export const forTarget = (
  outcomes: readonly SampleOutcome[],
  { goal }: ConfiguredAttack,
  samples: readonly Sample[],
): SampleOutcome[] =>
  outcomes.map((outcome, i) => ({
    ...outcome,
    eligible: goal.everySampleEligible === true || !goal.succeeded(samples[i], cleanOf(samples[i])),
  }));
