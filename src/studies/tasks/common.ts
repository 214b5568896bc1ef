/** @file The tasks that plans of commands have in common: policies, answers, attacks. */
import { type AttackConfig, attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { unitShares } from "../../dynamic/run/gated-runs.js";
import { type Policy, policyRecord, singleExitPolicy } from "../../schema/policy.js";
import type { DataRef, NetworkRef } from "../../schema/study/references.js";
import { isRoutable } from "../../schema/units.js";
import type { PolicyChoice } from "../policy.js";
import { makeTask } from "./kind.js";
import { type AnswersParameters, answersKind } from "./kinds/answers.js";
import { type CraftParameters, craftKind } from "./kinds/craft.js";
import { policyKind } from "./kinds/policy.js";
import { thresholdsKind } from "./kinds/thresholds.js";
import type { ChosenOn } from "./kinds/units.js";
import type { CommandPlan } from "./plan.js";
import type { Task, TaskKey } from "./task.js";

/** A network of a plan. */
export interface Planned {
  readonly network: NetworkRef;
  readonly model: Pick<DynamicModel, "exits" | "gates">;
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
  if (choice.kind === "fixed") return givenTask(plan, choice.policy);
  const { rule, fallback, target } = choice;
  if (!isRoutable(model)) return givenTask(plan, singleExitPolicy({ rule, fallback }));
  const { costs, gateCosts } = unitShares(model);
  const { gated, inputs } = chosenOn(plan, planned, present(planned.validation, "validation records"), {
    ...{ phase, gateCosts },
  });
  const parameters = { ...{ rule, fallback, target, costs, gated }, temperatures: listOf(choice.temperatures) };
  return plan.add(makeTask(thresholdsKind, parameters, inputs), phase);
}

/** The task that states a policy. */
export const givenTask = (plan: CommandPlan, policy: Policy): TaskKey =>
  plan.add(makeTask(policyKind, { policy: policyRecord(policy) }));

/** What a choice is made on. */
export interface ChoiceTask {
  readonly gated: ChosenOn["gated"];
  readonly inputs: Task["inputs"];
}

/** What a choice on records reads: the answers for them, or for gates the network itself.
 * @param gateCosts what each gate saves, in the unit of the costs of exits */
export function chosenOn(
  plan: CommandPlan,
  planned: Planned,
  data: DataRef,
  { phase, gateCosts }: { readonly phase: string; readonly gateCosts: readonly number[] },
): ChoiceTask {
  const { network, model } = planned;
  if (model.gates.length === 0)
    return { gated: undefined, inputs: { answers: [plan.add(answersTask(planned, data), phase)] } };
  return { gated: { network, data, costs: [...gateCosts], macs: fullMacs(model) }, inputs: {} };
}

/** What is run instead of clean images, and how. */
export interface Shown extends Pick<AnswersParameters, "rounded" | "again" | "full"> {
  /** The attack whose images are run. */
  readonly images?: TaskKey | undefined;
  /** The task of the policy whose gates the network runs under. Left out: each gate has its own
   * threshold. */
  readonly policy?: TaskKey | undefined;
}

/** What every exit of a network answers for records, or for the images of an attack on them. */
export function answersTask(
  { network, model, reader: { rule, temperatures } }: Planned,
  data: DataRef,
  { images, policy, ...how }: Shown = {},
): Task {
  // No policy changes the answers of a network without gates, so its task names none.
  const gates = model.gates.length > 0 && policy ? { policy: [policy] } : {};
  const { full, ...rest } = how;
  const parameters = {
    ...{ network, data, rule, macs: fullMacs(model), logits: true },
    ...rest,
    ...(full && model.gates.length > 0 ? { full } : {}),
  };
  return makeTask(
    answersKind,
    { ...parameters, temperatures: listOf(temperatures) },
    { ...(images ? { images: [images] } : {}), ...gates },
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
