import { describe, expect, it } from "vitest";
import { RULE_DEFS, type Rule, showThreshold as shownByPolicy } from "../../src/dynamic/route/policy.js";
import { showThreshold, showThresholds } from "../../src/report/shared/thresholds.js";

const RULES = Object.keys(RULE_DEFS) as Rule[];

describe("thresholds in reports", () => {
  it.each(RULES)("of rule %s are written as the command writes them, closed exits as never", (rule) => {
    const { never } = RULE_DEFS[rule];
    expect(showThreshold(rule, never)).toBe("never");
    for (const threshold of [never, 1, 0.123456, 3])
      expect(showThreshold(rule, threshold)).toBe(shownByPolicy(rule, threshold));
  });

  it("are one where all are equal", () => {
    expect(showThresholds("max-softmax", [0.8, 0.8])).toBe("0.8");
    expect(showThresholds("max-softmax", [0.8, 2, 0.9])).toBe("0.8, never, 0.9");
    expect(showThresholds("max-softmax", [])).toBe("");
  });
});
