/** @file The tasks of a calibration. Each round is a pure function of the options and of the rounds
 *  before it: the thresholds of a round read the attacked records of all earlier rounds. */
import type { AttackConfig } from "../../attacks/spec.js";
import type { OperatingPoint } from "../../dynamic/choose/calibrate.js";
import type { Policy } from "../../schema/policy.js";
import type { DataRef } from "../../schema/study/references.js";
import { answersTask, chosenOn, craftTask, fullMacs, givenTask, type Planned } from "../tasks/common.js";
import { makeTask } from "../tasks/kind.js";
import { exitTimesKind } from "../tasks/kinds/exit-times.js";
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

/** The answers for a split under the gates of a policy. Without gates, they are those of the
 * split. */
export const underGates = (plan: CommandPlan, network: Planned, { data }: SplitTasks, policy: TaskKey): TaskKey =>
  plan.add(answersTask(network, data, { policy }));

/** The answers for the test records at each point of the curves, by the thresholds of its gates. */
export function pointTasks(
  plan: CommandPlan,
  network: Planned,
  { data }: SplitTasks,
  frame: Pick<Policy, "rule" | "fallback">,
  points: readonly Pick<OperatingPoint, "gates" | "thresholds">[],
): ReadonlyMap<string, TaskKey> {
  const tasks = new Map<string, TaskKey>();
  for (const { gates, thresholds } of points) {
    const name = (gates ?? []).join();
    if (tasks.has(name)) continue;
    const policy = gates && givenTask(plan, { ...frame, thresholds, gates: { thresholds: gates } });
    tasks.set(name, plan.add(answersTask(network, data, { policy })));
  }
  return tasks;
}

/** The times of all exits, on batches of the first records of a split. */
export const exitTimesTask = (plan: CommandPlan, { network, model }: Planned, data: DataRef, batch: number): TaskKey =>
  plan.add(makeTask(exitTimesKind, { network, data, batch, macs: fullMacs(model) }), "times of the exits");

/** What thresholds are chosen with. */
export interface Choice {
  readonly parameters: Omit<ThresholdParameters, "gated">;
  /** What each gate saves, in the unit of the costs of exits. */
  readonly gateCosts: readonly number[];
}

/** The choice of thresholds.
 * @param attacked the attacks of earlier rounds */
export function choiceTask(
  plan: CommandPlan,
  network: Planned,
  { data }: SplitTasks,
  { parameters, gateCosts }: Choice,
  attacked: readonly AttackedTasks[],
): TaskKey {
  const { bounds, ...free } = parameters;
  const bound = attacked.length > 0 ? { ...free, bounds } : free;
  const phase = "validation images";
  const { gated, inputs } = chosenOn(plan, network, data, { phase, gateCosts });
  const sets = gated
    ? { images: attacked.map(({ crafted }) => crafted) }
    : { attacked: attacked.map(({ judged }) => judged) };
  return plan.add(makeTask(thresholdsKind, { ...bound, gated }, { ...inputs, ...sets }), phase);
}

/** An attack on the first records of a split, under a policy. */
export interface AttackedTasks {
  /** The answers for the clean images under the policy. */
  readonly clean: TaskKey;
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
  split: SplitTasks,
  policy: TaskKey,
  { config, samples, seed, phase }: SplitAttack & { readonly phase: string },
): AttackedTasks {
  const { data } = split;
  const clean = underGates(plan, network, split, policy);
  const inputs = { policy: [policy], clean: [clean] };
  const crafted = plan.add(craftTask(network, { config, data, seed, first: samples }, inputs), phase);
  return { clean, crafted, judged: plan.add(answersTask(network, data, { images: crafted, policy })) };
}
