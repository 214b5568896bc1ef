/** @file AutoAttack for networks with several exits: the worst case over goals and attacks. Each
 *  attack follows the losses of one goal after the other, and the goal of the attack file judges
 *  its images. With the goal `slowdown`, the image of the largest cost is kept. Source: dynn; Croce
 *  & Hein 2020 for the members. */

import { answerCost, cleanCost } from "../goals/costs.js";
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

/** The goals whose losses the attacks follow. A network with one exit has one of them. The goal
 * `max` is not among them, because its runs are those of the single exits. */
export function followedGoals(victim: Victim): string[] {
  if (exitCount(victim) === 1) return ["misclassify:final"];
  const early = allExits(victim).slice(0, -1);
  return ["misclassify:final", "routed", "average", ...early.map((k) => `misclassify:${k}`)];
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
  // The judge may read the full network too.
  const full = judge.losses.some((loss) => loss.full) ? { full: true } : {};
  if (goal.follow && judge.follow) return { ...goal, answer, label, succeeded };
  const exits = allExits(victim);
  const losses = goal.losses.map((loss) => ({ ...loss, key: `all-${loss.key}`, exits, ...full }));
  return { ...goal, losses, exits, answer, label, succeeded };
}

const worstAnswer = (task: Task, options: AutoAttackOptions, victim: Victim): Search =>
  attackInOrder(
    followedGoals(victim).map((name) => following(task, name, victim)),
    options,
    victim,
  );

/** Returns the image whose answer costs most. The attacks first follow the goal itself, and then
 * the goals towards it that no image meets yet. */
function* worstCost(task: Task, options: AutoAttackOptions, victim: Victim): Search {
  const last = exitCount(victim) - 1;
  const { goal, sample } = task;
  let worst: FoundImage | undefined;
  let [most, latest] = [cleanCost(victim, sample), firing(sample.clean, victim) ?? last];
  for (const name of ["apgd-ce", "square"] as const)
    for (const [k, followed] of [goal, ...(goal.towards ?? [])].entries()) {
      // The goal towards it at place k - 1 is met by every image that stops after exit k - 1.
      if (k > 0 && latest >= k) continue;
      const found = yield* member(name, { ...task, goal: followed }, options, victim);
      const evaluation = yield* evaluate(task, found.image, goal.starts(sample)[0], false);
      if (goal.succeeded(sample, evaluation)) return { image: found.image, success: true };
      const cost = answerCost(victim, evaluation);
      latest = Math.max(latest, firing(evaluation.logits, victim) ?? last);
      if (cost > most || (worst === undefined && cost === most)) [worst, most] = [{ ...found, success: false }, cost];
    }
  return worst ?? { image: sample.pixels, success: false };
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
