/** @file AutoAttack for networks with several exits: the worst case over goals and attacks. Each
 *  attack follows the losses of one goal after the other, and the goal of the attack file judges
 *  its images. With the goal `slowdown`, the image of the largest cost is kept. Source: dynn; Croce
 *  & Hein 2020 for the members. */

import { present } from "../../core/present.js";
import type { Goal } from "../goals/goal.js";
import { goalNamed } from "../goals/table.js";
import { allExits, exitCount, firing, type Victim } from "../goals/victim.js";
import { exitLoss, type LossForm } from "../losses/table.js";
import { count } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import { type AutoAttackOptions, attackInOrder, checkMembers, member } from "./autoattack.js";
import { evaluate } from "./evaluate.js";
import { method, type Task } from "./method.js";

const MEMBERS = "apgd-ce,apgd-t,fab-t,square";

/** The goals whose losses the attacks follow. A network with one exit has one of them. */
export function followedGoals(victim: Victim): string[] {
  if (exitCount(victim) === 1) return ["misclassify:final"];
  const early = allExits(victim).slice(0, -1);
  return ["misclassify:final", "routed", "average", "max", ...early.map((k) => `misclassify:${k}`)];
}

/** The task with the losses of another goal. The task's own goal judges the images. */
export function following(task: Task, name: string, victim: Victim): Task {
  const { def, at } = goalNamed(name, name);
  const { goal: judge } = task;
  const withLoss = (form: LossForm): Task => {
    const loss = exitLoss(form, judge.target !== undefined);
    const goal = judged(def.make({ victim, loss, target: judge.target, at }, {}), judge, victim);
    return { ...task, goal, withLoss };
  };
  return withLoss({ kind: "cross-entropy" });
}

/** The losses of one goal with the success of another. Each loss computes all exits, because the
 * judge may need them. The goal `routed` judges by the prefix that its own losses compute. */
function judged(goal: Goal, judge: Goal, victim: Victim): Goal {
  const { answer, label, succeeded } = judge;
  if (goal.follow && judge.follow) return { ...goal, answer, label, succeeded };
  const exits = allExits(victim);
  const losses = goal.losses.map((loss) => ({ ...loss, key: `all-${loss.key}`, exits }));
  return { ...goal, losses, exits, answer, label, succeeded };
}

/** Returns the first success, or what the first attack found. */
function* worstAnswer(task: Task, options: AutoAttackOptions, victim: Victim): Search {
  let first: FoundImage | undefined;
  for (const name of followedGoals(victim)) {
    const found = yield* attackInOrder(following(task, name, victim), options, victim);
    if (found.success) return found;
    first ??= found;
  }
  return first as FoundImage;
}

/** Returns the image whose routed answer costs most. */
function* worstCost(task: Task, options: AutoAttackOptions, victim: Victim): Search {
  let [worst, most]: [FoundImage | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for (const name of ["apgd-ce", "square"] as const) {
    const found = yield* member(name, task, options, victim);
    const { logits } = yield* evaluate(task, found.image, task.goal.starts(task.sample)[0], false);
    const stop = firing(logits, victim) ?? exitCount(victim) - 1;
    const cost = present(victim.model.exits[stop], "the exit taken").costFraction;
    if (cost > most) [worst, most] = [found, cost];
    if (found.success) break;
  }
  return worst as FoundImage;
}

export const autoattackDynamic = method({
  about:
    "AutoAttack on the losses of the final exit, of the exit taken, of all exits and of each exit, one after the other",
  source: "dynn; Croce & Hein 2020",
  access: "gradient",
  scope: "sample",
  budget: "radius",
  norms: ["linf", "l2", "l1"],
  targeted: true,
  losses: [],
  goal: "routed",
  parameters: {
    steps: count(100, "steps of each attack with gradients"),
    queries: count(5000, "queries of each `square`"),
  },
  check: (_, where, { victim }) => checkMembers(MEMBERS, where, victim),
  start: (task, { steps, queries }, victim) => {
    const options = { version: "standard", members: MEMBERS, steps, queries } as const;
    const slows = task.goal.name === "slowdown";
    return slows ? worstCost(task, options, victim) : worstAnswer(task, options, victim);
  },
});
