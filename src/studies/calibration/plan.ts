/** @file The tasks of a calibration. Each round is a pure function of the options and of the rounds
 *  before it: the thresholds of a round read the attacked records of all earlier rounds. */
import type { AttackConfig } from "../../attacks/spec.js";
import type { DataRef } from "../../schema/study/references.js";
import { answersTask, craftTask, type Planned } from "../tasks/common.js";
import { makeTask } from "../tasks/kind.js";
import { type ThresholdParameters, thresholdsKind } from "../tasks/kinds/thresholds.js";
import type { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";

/** Records, and the task of the answers for them. */
export interface SplitTasks {
  readonly data: DataRef;
  readonly answers: TaskKey;
}

/** The answers for a split. */
export const splitTask = (plan: CommandPlan, network: Planned, data: DataRef, phase: string): SplitTasks => ({
  data,
  answers: plan.add(answersTask(network, data), phase),
});

/** The choice of thresholds.
 * @param attacked the answers for the attacked records of earlier rounds */
export function choiceTask(
  plan: CommandPlan,
  { answers }: SplitTasks,
  parameters: ThresholdParameters,
  attacked: readonly TaskKey[],
): TaskKey {
  const { bounds, ...free } = parameters;
  const bound = attacked.length > 0 ? { ...free, bounds } : free;
  return plan.add(makeTask(thresholdsKind, bound, { answers: [answers], attacked }));
}

/** An attack on the first records of a split, under a policy. */
export interface AttackedTasks {
  readonly crafted: TaskKey;
  readonly judged: TaskKey;
}

/** What an attack on a split is. */
export interface SplitAttack {
  readonly config: AttackConfig;
  readonly samples: number;
  readonly seed: number;
}

/** The attack on a split. */
export function attackTasks(
  plan: CommandPlan,
  network: Planned,
  { data, answers }: SplitTasks,
  policy: TaskKey,
  { config, samples, seed, phase }: SplitAttack & { readonly phase: string },
): AttackedTasks {
  const inputs = { policy: [policy], clean: [answers] };
  const crafted = plan.add(craftTask(network, { config, data, seed, first: samples }, inputs), phase);
  return { crafted, judged: plan.add(answersTask(network, data, { images: crafted })) };
}
