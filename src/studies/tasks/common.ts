/** @file The tasks that plans of commands have in common: policies, answers, attacks. */
import { type AttackConfig, attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { type Policy, singleExitPolicy } from "../../schema/policy.js";
import type { DataRef, NetworkRef } from "../../schema/study/references.js";
import type { PolicyChoice } from "../policy.js";
import { makeTask } from "./kind.js";
import { type AnswersParameters, answersKind } from "./kinds/answers.js";
import { type CraftParameters, craftKind } from "./kinds/craft.js";
import { policyKind, stated } from "./kinds/policy.js";
import { thresholdsKind } from "./kinds/thresholds.js";
import type { CommandPlan } from "./plan.js";
import type { Task, TaskKey } from "./task.js";

/** A network of a plan. */
export interface Planned {
  readonly network: NetworkRef;
  readonly model: Pick<DynamicModel, "exits">;
  /** How confidences are computed. */
  readonly reader: Pick<Policy, "rule" | "temperatures">;
}

/** A network of a plan, with the choice of its policy. */
export interface PlannedPolicy extends Planned {
  readonly choice: PolicyChoice;
  /** The validation records of a choice. */
  readonly validation?: DataRef | undefined;
}

/** The task of a network's policy, behind those that it reads.
 * @param phase what the user reads while the validation records run */
export function policyTask(plan: CommandPlan, planned: PlannedPolicy, phase: string): TaskKey {
  const { choice, model } = planned;
  const given = (policy: Policy) => plan.add(makeTask(policyKind, { policy: stated(policy) }));
  if (choice.kind === "fixed") return given(choice.policy);
  const { rule, fallback, target } = choice;
  if (model.exits.length === 1) return given(singleExitPolicy(rule, fallback));
  const validation = plan.add(answersTask(planned, present(planned.validation, "validation records")), phase);
  const costs = model.exits.map(({ costFraction }) => costFraction);
  const parameters = { ...{ rule, fallback, target, costs }, temperatures: listOf(choice.temperatures) };
  return plan.add(makeTask(thresholdsKind, parameters, { answers: [validation] }));
}

/** What is run instead of clean images, and how. */
export interface Shown extends Pick<AnswersParameters, "rounded" | "again"> {
  /** The attack whose images are run. */
  readonly images?: TaskKey | undefined;
}

/** What every exit of a network answers for records, or for the images of an attack on them. */
export function answersTask(
  { network, model, reader: { rule, temperatures } }: Planned,
  data: DataRef,
  { images, ...how }: Shown = {},
): Task {
  const parameters = { ...{ network, data, rule, macs: fullMacs(model), logits: true }, ...how };
  return makeTask(
    answersKind,
    { ...parameters, temperatures: listOf(temperatures) },
    images ? { images: [images] } : {},
  );
}

/** An attack on records, and how its images are kept. */
export interface CraftRequest extends Pick<CraftParameters, "data" | "seed" | "first" | "standing" | "images"> {
  readonly config: AttackConfig;
}

/** The attack on a network. */
export const craftTask = (
  { network, model }: Planned,
  { config, ...how }: CraftRequest,
  inputs: Task["inputs"],
): Task => {
  const attack = attackConfigSchema.parse(config);
  return makeTask(craftKind, { network, ...how, attack, macs: fullMacs(model), gradients: 0 }, inputs);
};

/** MACs of one image through the whole network. */
export const fullMacs = ({ exits }: Planned["model"]): number => present(exits.at(-1), "the final exit").macs;

const listOf = (numbers: readonly number[] | undefined): number[] | undefined => numbers && [...numbers];
