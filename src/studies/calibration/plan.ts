/** @file The tasks of a calibration. Each round is a pure function of the options and of the rounds
 *  before it: the thresholds of a round read the attacked records of all earlier rounds. */
import { type AttackConfig, attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { DataRef } from "../../schema/study/references.js";
import { makeTask } from "../tasks/kind.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { type ThresholdParameters, thresholdsKind } from "../tasks/kinds/thresholds.js";
import type { CommandPlan } from "../tasks/plan.js";
import { answersTask, type Planned } from "../tasks/policy-tasks.js";
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
  const first = firstOf(data, samples);
  const { macs } = present(network.model.exits.at(-1), "the final exit");
  const parameters = { ...{ data: first, seed, macs, gradients: 0 }, network: network.network };
  const attack = attackConfigSchema.parse(config);
  const inputs = { policy: [policy], clean: [answers] };
  const crafted = plan.add(makeTask(craftKind, { ...parameters, attack }, inputs), phase);
  return { crafted, judged: plan.add(answersTask(network, first, { images: crafted })) };
}

/** The first records of a range. */
function firstOf(data: DataRef, samples: number): DataRef {
  if (Array.isArray(data.records)) return { ...data, records: data.records.slice(0, samples) };
  return { ...data, records: { ...data.records, count: Math.min(samples, data.records.count) } };
}
