/** @file The operating points of a profile whose thresholds are known before it runs. */
import type { DynamicModel } from "../../dynamic/model/model.js";
import { makePolicy, RULE_DEFS } from "../../dynamic/route/policy.js";
import { type Policy, type Rule, uniformPolicy } from "../../schema/policy.js";
import { type Point, pointName } from "../tasks/kinds/points.js";
import { stated } from "../tasks/kinds/policy.js";
import type { PointOptions } from "./options.js";

/** Points with known thresholds. One point never stops early, which shows the cost of the exits
 * when they save nothing. Others are the model's own policy, and the given thresholds under every
 * rule. A network without early exits has no points.
 * @throws DynnError 'policy/value' when a threshold is out of its rule's range */
export function fixedPoints(model: DynamicModel, { rules, thresholds = [], fallback }: PointOptions): Point[] {
  const [exits, rule] = [model.exits.length, rules[0]];
  if (exits === 1) return [];
  const temperatures = model.policy?.temperatures;
  const given = rules.flatMap((each) =>
    thresholds.map((threshold) =>
      chosen(pointName(each, threshold), makePolicy(each, [threshold], fallback, shapeOf(model), temperatures)),
    ),
  );
  return [
    chosen("nothing leaves", {
      ...uniformPolicy(rule, fallback, strictest(rule, model.classes), exits),
      ...(temperatures ? { temperatures } : {}),
    }),
    ...(model.policy ? [chosen("own policy", model.policy)] : []),
    ...given,
  ];
}

const shapeOf = ({ exits, classes }: DynamicModel) => ({ exits: exits.length, classes });
const chosen = (name: string, policy: Policy): Point => ({ name, kind: "chosen", policy: stated(policy) });

/** The threshold that only a confidence of 1 (or the best value of the rule) reaches. An exit can
 * fire at this threshold, so the executor runs every head. Past it, the executor would leave the
 * heads out. */
function strictest(rule: Rule, classes: number): number {
  const { range, rank } = RULE_DEFS[rule];
  const [low, high] = range(classes);
  return rank(high) > rank(low) ? high : low;
}
