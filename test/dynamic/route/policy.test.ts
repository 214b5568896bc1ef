import { describe, expect, test } from "vitest";
import { argmax, makePolicy, RULE_DEFS, softmaxRow } from "../../../src/dynamic/route/policy.js";
import { NEVER_FIRES, RULES, showThreshold, thresholdCount } from "../../../src/schema/policy.js";
import { failure } from "../../support/failure.js";

const model = { exits: 4, classes: 10 };
const advice = "Choose one in that range, write never for an exit that must not fire, or let dynn choose.";

describe("a policy", () => {
  test("spreads one threshold over the early exits, or takes one for each", () => {
    expect(makePolicy(model, { rule: "max-softmax", thresholds: [0.8], fallback: "final" })).toEqual({
      rule: "max-softmax",
      thresholds: [0.8, 0.8, 0.8],
      fallback: "final",
    });
    expect(
      makePolicy(model, { rule: "margin", thresholds: [0.1, 0.2, 0.3], fallback: "most-confident" }).thresholds,
    ).toEqual([0.1, 0.2, 0.3]);
    expect(makePolicy(model, { rule: "patience", thresholds: [2], fallback: "final" }).thresholds).toEqual([2]);
    expect(thresholdCount("patience", 4)).toBe(1);
  });

  test.each(RULES)("of rule %s takes never, by word and by the number that a file holds for it", (rule) => {
    const { fires } = RULE_DEFS[rule];
    const never = NEVER_FIRES[rule];
    const policy = makePolicy(model, { rule, thresholds: ["never"], fallback: "final" });
    expect(policy.thresholds).toEqual(new Array(thresholdCount(rule, 4)).fill(never));
    expect(
      makePolicy(model, { rule, thresholds: JSON.parse(JSON.stringify(policy.thresholds)), fallback: "final" }),
    ).toEqual(policy);
    for (const p of [
      [1, 0, 0, 0],
      [0.25, 0.25, 0.25, 0.25],
    ])
      if (rule !== "patience") expect(fires(RULE_DEFS[rule].confidence(Float64Array.from(p)), never)).toBe(false);
    expect(showThreshold(rule, never)).toBe("never");
  });

  test("may close one exit and not the others", () => {
    expect(makePolicy(model, { rule: "entropy", thresholds: [0.5, "never", 1], fallback: "final" }).thresholds).toEqual(
      [0.5, -1, 1],
    );
    expect([0.123456, 2].map((t) => showThreshold("margin", t))).toEqual(["0.1235", "never"]);
  });

  test("of a static network has none", () => {
    expect(
      makePolicy({ exits: 1, classes: 10 }, { rule: "max-softmax", thresholds: [0.8], fallback: "final" }).thresholds,
    ).toEqual([]);
    expect(
      makePolicy({ exits: 1, classes: 10 }, { rule: "entropy", thresholds: [], fallback: "final" }).thresholds,
    ).toEqual([]);
  });

  test.each([
    ["max-softmax", [1.2], `threshold 1.2: rule max-softmax takes numbers from 0 to 1. ${advice}`],
    ["max-softmax", [0.5, -0.1, 0.5], `threshold -0.1: rule max-softmax takes numbers from 0 to 1. ${advice}`],
    ["margin", [Number.NaN], `threshold NaN: rule margin takes numbers from 0 to 1. ${advice}`],
    ["entropy", [2.31], `threshold 2.31: rule entropy takes numbers from 0 to 2.3026. ${advice}`],
    ["patience", [1.5], `threshold 1.5: rule patience takes a whole number of exits, 1 or more. ${advice}`],
    ["patience", [0], `threshold 0: rule patience takes a whole number of exits, 1 or more. ${advice}`],
    [
      "max-softmax",
      [0.5, 0.5],
      "thresholds: got 2, expected 1 or 3 (one per early exit). List one number, or one per early exit.",
    ],
    ["entropy", [], "thresholds: got 0, expected 1 or 3 (one per early exit). List one number, or one per early exit."],
    ["patience", [1, 2, 3], "thresholds: got 3, expected 1. List one number."],
  ] as const)("of rule %s refuses %j", (rule, thresholds, text) => {
    expect(() => makePolicy(model, { rule, thresholds, fallback: "final" })).toThrow(failure("policy/value", text));
  });
});

describe("temperatures", () => {
  test("are kept as they are, one per exit; without them the policy has none", () => {
    const temperatures = [0.5, 1, 2, 1.5];
    expect(
      makePolicy(model, { rule: "margin", thresholds: [0.5], fallback: "final", temperatures }).temperatures,
    ).toEqual(temperatures);
    expect("temperatures" in makePolicy(model, { rule: "margin", thresholds: [0.5], fallback: "final" })).toBe(false);
  });

  test.each([
    [
      [1, 1],
      "temperatures: got 2, expected 4 (one per exit, the final one's included). List one number per exit, or none.",
    ],
    [[1, 0, 1, 1], "temperature 0: expected a number above 0. Use 1 to leave an exit's confidences as they are."],
    [
      [1, 1, 1, Number.NaN],
      "temperature NaN: expected a number above 0. Use 1 to leave an exit's confidences as they are.",
    ],
    [
      [Number.POSITIVE_INFINITY, 1, 1, 1],
      "temperature Infinity: expected a number above 0. Use 1 to leave an exit's confidences as they are.",
    ],
  ])("%j are refused", (temperatures, text) => {
    expect(() => makePolicy(model, { rule: "margin", thresholds: [0.5], fallback: "final", temperatures })).toThrow(
      failure("policy/value", text),
    );
  });
});

describe("confidence by closed form", () => {
  test("softmax of logs are the probabilities, whatever is added to the logits", () => {
    const p = [0.1, 0.2, 0.7];
    for (const shift of [0, 50, -50])
      softmaxRow(Float32Array.from(p, (v) => Math.log(v) + shift)).forEach((v, i) => expect(v).toBeCloseTo(p[i], 5));
  });

  test("large logits do not overflow", () => {
    expect([...softmaxRow(Float32Array.of(1e30, 0, -1e30))]).toEqual([1, 0, 0]);
  });

  const p = Float64Array.of(0.125, 0.5, 0.25, 0.125);
  test("max-softmax is the largest probability, margin the lead over the second", () => {
    expect(RULE_DEFS["max-softmax"].confidence(p)).toBe(0.5);
    expect(RULE_DEFS.margin.confidence(p)).toBe(0.25);
    expect(RULE_DEFS.margin.confidence(Float64Array.of(0.5, 0.5))).toBe(0);
    expect(RULE_DEFS.margin.confidence(Float64Array.of(0.125, 0.25, 0.625))).toBe(0.375);
  });

  test("entropy is in nats: log of the classes when all are equal, 0 when one is sure", () => {
    expect(RULE_DEFS.entropy.confidence(p)).toBeCloseTo(1.75 * Math.LN2, 15);
    expect(RULE_DEFS.entropy.confidence(new Float64Array(10).fill(0.1))).toBeCloseTo(Math.log(10), 12);
    expect(RULE_DEFS.entropy.confidence(Float64Array.of(0, 1, 0))).toBe(0);
  });

  test("an exit fires at its threshold, not only past it", () => {
    expect(RULE_DEFS["max-softmax"].fires(0.5, 0.5)).toBe(true);
    expect(RULE_DEFS.entropy.fires(0.5, 0.5)).toBe(true);
    expect(RULE_DEFS.entropy.fires(0.6, 0.5)).toBe(false);
    expect(RULE_DEFS.margin.fires(0.4, 0.5)).toBe(false);
  });

  test("nothing fires at `never`, which survives JSON", () => {
    for (const rule of RULES) {
      const { fires } = RULE_DEFS[rule];
      const never = NEVER_FIRES[rule];
      expect(JSON.parse(JSON.stringify(never))).toBe(never);
      if (rule !== "patience") expect([0, 0.5, 1].some((c) => fires(c, never))).toBe(false);
    }
  });
});

test("of equal elements the first is the largest", () => {
  expect(argmax([1, 3, 3, 2])).toBe(1);
  expect(argmax([0, 0])).toBe(0);
});
