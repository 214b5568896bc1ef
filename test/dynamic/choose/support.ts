/** @file Small random validation splits, and every policy that can differ on them. */

import fc from "fast-check";
import { Logits } from "../../../src/core/logits.js";
import type { Measured } from "../../../src/dynamic/choose/calibrate.js";
import { readingOf, route } from "../../../src/dynamic/route/route.js";
import type { Fallback, Policy, Rule } from "../../../src/schema/policy.js";
import { NEVER_FIRES } from "../../../src/schema/policy.js";

export const COSTS = [0.2, 0.45, 0.8, 1] as const;
export const costsOf = (exits: number): number[] => COSTS.slice(4 - exits);

/** Up to `most` samples of three classes with logits that seldom agree.
 * @param exits the final one included */
export const splits = (exits: number, most: number): fc.Arbitrary<Measured> =>
  fc.integer({ min: 1, max: most }).chain((n) =>
    fc.record({
      labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: n, maxLength: n }),
      logits: fc
        .array(
          fc
            .array(fc.integer({ min: -9, max: 9 }), { minLength: 3 * n, maxLength: 3 * n })
            .map((values) => Float32Array.from(values, (v) => v / 3)),
          { minLength: exits, maxLength: exits },
        )
        .map((each) => new Logits(each, 3)),
    }),
  );

/** Rules with a threshold per exit. */
export const scoredRules = fc.constantFrom<Rule>("max-softmax", "entropy", "margin");
export const fallbacks = fc.constantFrom<Fallback>("final", "most-confident");

export interface Means {
  readonly accuracy: number;
  readonly cost: number;
}

/** By routing, the definition. */
export function measure({ logits, labels }: Measured, policy: Policy, costs: readonly number[]): Means {
  const routed = route(logits, policy);
  return {
    accuracy: routed.filter((r, i) => r.label === labels[i]).length / routed.length,
    cost: routed.reduce((sum, r) => sum + costs[r.stop], 0) / routed.length,
  };
}

/** Means of every combination of confidences as thresholds, "never" included. */
export function everyPolicy(data: Measured, rule: Rule, fallback: Fallback, costs: readonly number[]): Means[] {
  const { logits, labels } = data;
  const seen = logits.exits.slice(0, -1).map((_, exit) => {
    const own = Array.from(labels, (_, i) => readingOf(logits.row(exit, i), { rule }, exit).confidence);
    return [...new Set([...own, NEVER_FIRES[rule]])];
  });
  const combinations = seen.reduce<number[][]>((all, own) => all.flatMap((one) => own.map((t) => [...one, t])), [[]]);
  return combinations.map((thresholds) => measure(data, { rule, fallback, thresholds }, costs));
}
