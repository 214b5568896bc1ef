/** @file The attacked model and its policy, as goals use them. */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { scoredGates } from "../../dynamic/model/scores.js";
import { argmax } from "../../dynamic/route/policy.js";
import { routeOne } from "../../dynamic/route/route.js";
import type { Policy } from "../../schema/policy.js";
import { type ExitLoss, LOSSES, type LossForm } from "../losses/table.js";
import type { ExitLogits, Sample, Seen } from "../sample.js";

export interface Victim {
  readonly model: DynamicModel;
  /** Decides at which exit a sample stops. */
  readonly policy: Policy;
}

export const exitCount = ({ model }: Victim): number => model.exits.length;

/** Numbers of all exits. */
export const allExits = (victim: Victim): number[] => victim.model.exits.map((_, k) => k);

/** Numbers of the early exits.
 * @throws DynnError 'attack/unsupported' when the model has a single exit */
export function earlyExits(victim: Victim, goal: string, needed = "early ones"): number[] {
  const early = allExits(victim).slice(0, -1);
  if (early.length > 0) return early;
  throw new DynnError(
    "attack/unsupported",
    `goal ${goal}: the model has a single exit, and this attack needs ${needed}. Use misclassify:final, or a multi-exit model.`,
    { goal },
  );
}

/** The early exits and the gates whose work an attack can change.
 * @throws DynnError 'attack/unsupported' when the network has none */
export function movableUnits(victim: Victim, goal: string): Movable {
  const early = allExits(victim).slice(0, -1);
  const gates = scoredGates(victim.model).map(([k]) => k);
  if (early.length + gates.length > 0) return { early, gates };
  const { length } = victim.model.gates;
  if (length === 0) earlyExits(victim, goal, "early ones or gates");
  throw new DynnError(
    "attack/unsupported",
    `goal ${goal}: the policy forces every gate of ${victim.model.name}, and the network has a single exit, so its cost is fixed. Give a policy that lets a gate ask its score.`,
    { goal, gates: length },
  );
}

/** Numbers of early exits, and of gates that ask their scores. */
export interface Movable {
  readonly early: readonly number[];
  readonly gates: readonly number[];
}

/** Label of one exit. */
export const labelAt = (logits: ExitLogits, exit: number): number => argmax(logits[exit] as Float32Array);

/** The rows of the first exits, up to the first that was not computed. */
export const prefixOf = (logits: ExitLogits): Float32Array[] => {
  const end = logits.indexOf(undefined);
  return (end < 0 ? logits : logits.slice(0, end)) as Float32Array[];
};

/** The label that the deployed network answers with. */
export const routedLabel = (logits: ExitLogits, victim: Victim): number => {
  const routed = routeOne(prefixOf(logits), victim.policy, exitCount(victim));
  if (routed) return routed.label;
  throw new Error("bug: the routed answer needs the logits of a later exit");
};

/** The exit where the work stops, or undefined when no early exit fires. */
export const firing = (logits: ExitLogits, victim: Victim): number | undefined =>
  routeOne(prefixOf(logits.slice(0, exitCount(victim) - 1)), victim.policy, exitCount(victim))?.stop;

/** Whether the routed answer is the target, or any wrong label. */
export const routedIsWanted =
  (victim: Victim) =>
  (sample: Sample, { logits }: Seen): boolean => {
    const label = routedLabel(logits, victim);
    return sample.target === undefined ? label !== sample.label : label === sample.target;
  };

/** Losses for samples whose gradient vanished under a loss that depends on the scale of logits, in
 * the order in which they are tried. */
export const scaleFreeOf = ({ form }: ExitLoss): readonly LossForm[] | undefined =>
  LOSSES[form.kind].scaleFree ? undefined : [{ kind: "margin" }, { kind: "scaled-cross-entropy" }];

export const trueLabel = (sample: Sample): number => sample.label;

/** The model's own label: the label of its final exit on the clean image. */
export const finalLabel = (sample: Sample): number => argmax(sample.clean.at(-1) as Float32Array);

/** Whether the full network differs from the final exit: a gate asks its score. */
export const hasFull = ({ model }: Victim): boolean => scoredGates(model).length > 0;

/** The label of the full network: of the final exit, with every gate open that the policy does not
 * force closed. Without gates, that of the final exit.
 * @throws DynnError 'attack/unsupported' when the logits of the full network are missing */
export function fullLabel(victim: Victim, { logits, full }: Seen): number {
  if (!hasFull(victim)) return labelAt(logits, exitCount(victim) - 1);
  if (full) return argmax(full);
  throw new DynnError(
    "attack/unsupported",
    "an early attack on a network with gates reads the logits of the full network, and a sample has none. Make samples with `samples`, or give `full` beside `clean`.",
    { gates: victim.model.gates.length },
  );
}

/** @throws DynnError 'attack/unsupported' when the loss has no meaning for so few classes */
export function checkClasses({ kind }: LossForm, where: string, { model: { classes } }: Victim): void {
  const { fewestClasses } = LOSSES[kind];
  if (classes >= fewestClasses) return;
  throw new DynnError(
    "attack/unsupported",
    `${where}, loss: the model has ${counted(classes, "class", "classes")}, and "${kind}" needs at least ${fewestClasses}. Use an attack with another loss: pgd, apgd-ce, fab, square, or autoattack with these as its members.`,
    { kind, classes, fewestClasses },
  );
}
