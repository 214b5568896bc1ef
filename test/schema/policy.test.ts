import { describe, expect, it } from "vitest";
import { NEVER_FIRES, RULES, showThreshold, showThresholds } from "../../src/schema/policy.js";

describe("thresholds in reports", () => {
  it.each(RULES)("of rule %s are written to 4 digits, an exit that never fires as never", (rule) => {
    const never = NEVER_FIRES[rule];
    expect(showThreshold(rule, never)).toBe("never");
    expect(showThreshold(rule, 0.123456)).toBe("0.1235");
  });

  it("are one where all are equal", () => {
    expect(showThresholds({ rule: "max-softmax", thresholds: [0.8, 0.8] })).toBe("0.8");
    expect(showThresholds({ rule: "max-softmax", thresholds: [0.8, 2, 0.9] })).toBe("0.8, never, 0.9");
    expect(showThresholds({ rule: "max-softmax", thresholds: [] })).toBe("");
  });
});
