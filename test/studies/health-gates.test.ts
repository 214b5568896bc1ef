/** @file Flags of attacks through hard gates: each shows where its sign is made, and nowhere else. */
import { describe, expect, test } from "vitest";
import { NOTHING_SPENT, type SampleOutcome } from "../../src/attacks/attack.js";
import { wilson } from "../../src/measures/wilson.js";
import type { AttackRecord } from "../../src/schema/audit-record.js";
import { ownHealth, withComparisons } from "../../src/studies/audit/health.js";
import { record } from "../report/fixture.js";

type Own = Parameters<typeof ownHealth>;

const pixels = Float32Array.of(0.5);
const outcome = (change: Partial<SampleOutcome> = {}): SampleOutcome => ({
  ...{ image: Float32Array.of(0.6), success: false, eligible: true, spent: NOTHING_SPENT, lossRose: true },
  ...change,
});

/** Flags of PGD that passes gates in this way, with their shares. */
function healthOf(gates: string | undefined, outcomes: readonly SampleOutcome[]): Record<string, number | null> {
  const attack = {
    method: { name: "pgd", access: "gradient" },
    goal: { name: "slowdown" },
    budget: { norm: "linf", radius: 0.1 },
    parameters: { loss: "margin", ...(gates === undefined ? {} : { gates }) },
  };
  const logits = { classes: 3, exits: [Float32Array.of(4, -2, 1)] };
  const attacked = { attack, outcomes, samples: outcomes.map(() => ({ pixels })) } as unknown as Own[0];
  const flags = ownHealth(attacked, { logits, random: false } as unknown as Own[1]);
  return Object.fromEntries(flags.map(({ flag, share }) => [flag, share]));
}

describe("hard-gates", () => {
  const outcomes = [outcome({ vanished: true }), outcome(), outcome(), outcome(), outcome({ eligible: false })];

  test("is the share of samples whose gradient vanished, where gates have none", () => {
    expect(healthOf("hard", outcomes)).toEqual({ "zero-gradient": 0.25, "hard-gates": 0.25 });
  });

  test.each(["straight-through", "soft", "best", undefined])("is not shown with gates %s", (gates) => {
    expect(healthOf(gates, outcomes)).toEqual({ "zero-gradient": 0.25 });
  });

  test("is not shown where no gradient vanished", () => {
    expect(healthOf("hard", outcomes.slice(1))).toEqual({});
  });
});

describe("surrogates-disagree", () => {
  /** 40 samples: the first surrogate reaches `first` of them, the second one `second`. */
  const tried = (first: number, second: number) =>
    Array.from({ length: 40 }, (_, i) => outcome({ success: true, reached: [i < first, i < second] }));

  test("is the share of samples that only one surrogate reaches", () => {
    expect(healthOf("best", tried(4, 30))).toEqual({ "surrogates-disagree": 26 / 40 });
    expect(healthOf("best", tried(30, 4))).toEqual({ "surrogates-disagree": 26 / 40 });
  });

  test("counts samples that were not tried with several surrogates as agreement", () => {
    const others = Array.from({ length: 10 }, () => outcome({ success: true }));
    expect(healthOf("best", [...tried(4, 30), ...others])).toEqual({ "surrogates-disagree": 26 / 50 });
  });

  test("is not shown within the intervals of both, or without several surrogates", () => {
    expect(healthOf("best", tried(20, 24))).toEqual({});
    expect(healthOf("hard", [outcome(), outcome()])).toEqual({});
  });
});

describe("gates-weaker", () => {
  const attack = (right: number, gates: string, change: Partial<AttackRecord> = {}): AttackRecord => ({
    ...record.attacks[0],
    ...{ goal: "slowdown", method: "pgd", access: "gradient", norm: "linf", radius: 8 / 255, samples: 200 },
    ...{ successes: 100, health: [], parameters: { steps: 10, gates } },
    ...change,
    robustAccuracy: wilson(right, 200),
  });
  const flagsOf = (...records: readonly AttackRecord[]): string[] =>
    withComparisons(records)[0].health.map(({ flag }) => flag);

  test("is shown where the same attack with another surrogate left fewer samples right", () => {
    expect(flagsOf(attack(120, "hard"), attack(20, "soft"))).toEqual(["gates-weaker"]);
    expect(flagsOf(attack(20, "hard"), attack(120, "soft"))).toEqual([]);
  });

  test("is not shown within the intervals, in another ball, for another method or with the same surrogate", () => {
    expect(flagsOf(attack(120, "hard"), attack(110, "soft"))).toEqual([]);
    expect(flagsOf(attack(120, "hard"), attack(20, "soft", { radius: 16 / 255 }))).toEqual([]);
    expect(flagsOf(attack(120, "hard"), attack(20, "soft", { method: "apgd" }))).toEqual([]);
    expect(flagsOf(attack(120, "hard"), attack(20, "hard"))).toEqual([]);
  });
});
