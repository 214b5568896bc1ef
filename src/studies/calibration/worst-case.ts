/** @file Chooses thresholds that keep bounds on cost and accuracy under an attack. An attack can
 *  depend on the policy, so one set of attacked samples is not enough. Each round chooses a policy
 *  and attacks the validation records under it. While the attack breaks a bound, the next round
 *  adds these samples to those that must keep the bounds. Earlier sets stay. */

import { configureAttack } from "../../attacks/spec.js";
import { keeps } from "../../dynamic/choose/calibrate.js";
import type { UnitCosts } from "../../dynamic/choose/sweep.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { route } from "../../dynamic/route/route.js";
import { accuracy } from "../../measures/accuracy.js";
import type { CalibrationRecord } from "../../schema/calibration-record.js";
import { singleExitPolicy } from "../../schema/policy.js";
import type { OutcomeRow } from "../../schema/study/tables.js";
import { nothingToAttack } from "../audit/tally.js";
import type { Planned } from "../tasks/common.js";
import type { InProcess } from "../tasks/in-process.js";
import { OUTCOMES_FILE } from "../tasks/kinds/opened.js";
import type { CommandPlan } from "../tasks/plan.js";
import type { TaskKey } from "../tasks/task.js";
import type { WorstCaseOptions } from "./options.js";
import { type AttackedTasks, attackTasks, type SplitTasks } from "./plan.js";
import { meanCost } from "./split.js";

/** Largest number of rounds. In experiments, more rounds did not help. */
const MOST_ROUNDS = 4;

export type WorstCaseRecord = NonNullable<CalibrationRecord["worstCase"]>;

/** What the rounds work on. */
export interface Rounds {
  readonly plan: CommandPlan;
  readonly run: InProcess;
  readonly network: Planned;
  readonly model: DynamicModel;
  readonly validation: SplitTasks;
  readonly test: SplitTasks;
  readonly seed: number;
  readonly costs: UnitCosts;
  /** Chooses thresholds, given the attacks of earlier rounds. */
  readonly choose: (attacked: readonly AttackedTasks[]) => Promise<TaskKey>;
}

/** Chooses a policy under the bounds, and attacks the test records under this policy.
 * @returns the task that chose the policy, and the record
 * @throws DynnError 'policy/validation' when no thresholds keep target and bounds
 * @throws DynnError 'attack/config', 'attack/unsupported' when the attack does not fit the model */
export async function boundWorstCase(
  rounds: Rounds,
  worst: WorstCaseOptions,
): Promise<{ readonly chosen: TaskKey; readonly worstCase: WorstCaseRecord }> {
  const { goal, ...described } = describe(rounds.model, worst);
  const bounds = { maxCost: worst.maxCost, minAccuracy: worst.minAccuracy };
  const attack = async (split: SplitTasks, policy: TaskKey, which: string) => {
    const found = await attacked(rounds, worst, split, policy, `${described.attack}, ${which}`);
    return { found, record: recordOf(found, goal, policy, rounds) };
  };
  const earlier: AttackedTasks[] = [];
  for (let round = 1; ; round++) {
    const chosen = await rounds.choose(earlier);
    const { found: fresh, record: validation } = await attack(rounds.validation, chosen, `validation, round ${round}`);
    const found = { worstCost: validation.meanCost.value, worstAccuracy: validation.accuracy.value };
    const held = keeps(bounds, found);
    earlier.push(fresh);
    if (!held && round < MOST_ROUNDS) continue;
    const { record: test } = await attack(rounds.test, chosen, "test");
    return { chosen, worstCase: { ...described, ...bounds, rounds: round, held, validation, test } };
  }
}

/** The description of the attack. It does not depend on the policy. */
function describe(model: DynamicModel, { attack }: WorstCaseOptions) {
  const { name, goal, method, budget } = configureAttack(attack, { model, policy: singleExitPolicy() });
  return {
    goal,
    attack: name,
    objective: goal.name,
    norm: budget.norm,
    radius: budget.radius ?? null,
    retriedOnMargins: method.retriesVanished && goal.scaleFree !== undefined,
  };
}

async function attacked(
  { plan, run, network, seed }: Rounds,
  { attack: config, samples }: WorstCaseOptions,
  split: SplitTasks,
  policy: TaskKey,
  phase: string,
): Promise<AttackedTasks> {
  const tasks = attackTasks(plan, network, split, policy, { config, samples, seed, phase });
  await run.all(plan);
  return tasks;
}

function recordOf(
  { clean: cleanKey, crafted, judged }: AttackedTasks,
  goal: ReturnType<typeof describe>["goal"],
  policyKey: TaskKey,
  { run, model, costs: { costs, gateCosts = [] } }: Rounds,
): WorstCaseRecord["validation"] {
  const policy = run.policy(policyKey);
  const [{ logits, labels }, clean] = [run.measured(judged), run.measured(cleanKey)];
  const outcomes = run.rows<OutcomeRow>(crafted, OUTCOMES_FILE);
  const routed = route(logits, policy);
  const full = costs.at(-1) as number;
  const share = (cost: number): number => cost / full;
  return {
    samples: routed.length,
    accuracy: accuracy(
      labels,
      routed.map((r) => r.label),
    ),
    meanCost: meanCost(model, routed, { costs: costs.map(share), gateCosts: gateCosts.map(share) }),
    nothingToAttack: nothingToAttack(
      goal,
      outcomes,
      { logits: clean.logits, routed: route(clean.logits, policy) },
      labels,
    ),
    vanishedGradients: outcomes.filter(({ vanished }) => vanished).length,
  };
}
