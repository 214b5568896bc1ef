/** @file The operating points of a profile whose thresholds are known before it runs. */
import type { DynamicModel } from "../../dynamic/model/model.js";
import { makePolicy, RULE_DEFS } from "../../dynamic/route/policy.js";
import { type Policy, policyRecord, type Rule, uniformPolicy } from "../../schema/policy.js";
import { isRoutable } from "../../schema/units.js";
import { type Point, pointName } from "../tasks/kinds/points.js";
import type { PointOptions } from "./options.js";

/** Points with known thresholds. One point never stops early, which shows the cost of the exits
 * when they save nothing. Others are the model's own policy, and the given thresholds under every
 * rule. A static network has no points.
 * @throws DynnError 'policy/value' when a threshold is out of its rule's range */
export function fixedPoints(model: DynamicModel, { rules, thresholds = [], fallback }: PointOptions): Point[] {
  const [exits, rule] = [model.exits.length, rules[0]];
  if (!isRoutable(model)) return [];
  const { temperatures, gates } = model.policy ?? {};
  const own = { ...(temperatures ? { temperatures } : {}), ...(gates ? { gates } : {}) };
  const given = rules.flatMap((each) =>
    thresholds.map((threshold) =>
      chosen(pointName(each, threshold), {
        ...makePolicy(shapeOf(model), { rule: each, thresholds: [threshold], fallback }),
        ...own,
      }),
    ),
  );
  return [
    chosen(exits > 1 ? "nothing leaves" : "gates as they are", {
      ...uniformPolicy(rule, fallback, strictest(rule, model.classes), exits),
      ...own,
    }),
    ...(model.policy ? [chosen("own policy", model.policy)] : []),
    ...given,
  ];
}

const shapeOf = ({ exits, classes }: DynamicModel) => ({ exits: exits.length, classes });
const chosen = (name: string, policy: Policy): Point => ({ name, kind: "chosen", policy: policyRecord(policy) });

/** The threshold that only a confidence of 1 (or the best value of the rule) reaches. An exit can
 * fire at this threshold, so the executor runs every head. Past it, the executor would leave the
 * heads out. */
function strictest(rule: Rule, classes: number): number {
  const { range, rank } = RULE_DEFS[rule];
  const [low, high] = range(classes);
  return rank(high) > rank(low) ? high : low;
}
