/** @file Flags of an audit's attacks: each shows where its sign is made, and nowhere else. */
import { describe, expect, test } from "vitest";
import { wilson } from "../../src/measures/wilson.js";
import type { AttackRecord } from "../../src/schema/audit-record.js";
import { withComparisons } from "../../src/studies/audit/health.js";
import { record } from "../report/fixture.js";

const [base] = record.attacks;
const attack = (change: Partial<AttackRecord> & { readonly right?: number }): AttackRecord => ({
  ...base,
  ...{ goal: "misclassify:final", method: "pgd", access: "gradient", norm: "linf", radius: 8 / 255, samples: 200 },
  parameters: { steps: 10 },
  successes: 100,
  health: [],
  ...change,
  robustAccuracy: wilson(change.right ?? 20, 200),
});
const flagsOf = (...records: readonly AttackRecord[]): string[] =>
  withComparisons(records)[0].health.map(({ flag }) => flag);

describe("an attack beside others", () => {
  test("has no flag where it is the strongest", () => {
    expect(flagsOf(attack({ right: 20 }), attack({ right: 120, access: "scores", method: "adam-tanh" }))).toEqual([]);
  });

  test("without a limit is flagged where one with a limit is stronger", () => {
    const free = attack({ radius: null, right: 120 });
    expect(flagsOf(free, attack({ right: 20 }))).toEqual(["no-limit-weaker"]);
    expect(flagsOf(free, attack({ right: 110 }))).toEqual([]);
    expect(flagsOf(free, attack({ right: 20, goal: "average" }))).toEqual([]);
  });

  test("with gradients is flagged where one that sees less is stronger, in the same ball alone", () => {
    const blind = attack({ right: 20, access: "scores", method: "adam-tanh" });
    expect(flagsOf(attack({ right: 120 }), blind)).toEqual(["query-stronger"]);
    expect(flagsOf(attack({ right: 120 }), { ...blind, radius: 16 / 255 })).toEqual([]);
    expect(flagsOf(blind, attack({ right: 120 }))).toEqual([]);
  });

  test("is flagged where a smaller radius or fewer steps did more", () => {
    expect(flagsOf(attack({ right: 120 }), attack({ right: 20, radius: 4 / 255 }))).toEqual(["more-is-weaker"]);
    expect(flagsOf(attack({ right: 120 }), attack({ right: 20, parameters: { steps: 5 } }))).toEqual([
      "more-is-weaker",
    ]);
    expect(flagsOf(attack({ right: 120 }), attack({ right: 20, radius: 16 / 255 }))).toEqual([]);
  });

  test("is not compared with fewer steps under another loss", () => {
    const margin = attack({ right: 20, parameters: { steps: 5, loss: "margin" } });
    expect(flagsOf(attack({ right: 120, parameters: { steps: 10, loss: "cross-entropy" } }), margin)).toEqual([]);
  });

  test("is flagged where fewer queries or restarts did more", () => {
    for (const amount of ["queries", "restarts"]) {
      const of = (value: number) => ({ method: "square", access: "scores", parameters: { [amount]: value } }) as const;
      expect(flagsOf(attack({ right: 120, ...of(10) }), attack({ right: 20, ...of(5) }))).toEqual(["more-is-weaker"]);
      expect(flagsOf(attack({ right: 120, ...of(5) }), attack({ right: 20, ...of(10) }))).toEqual([]);
    }
  });

  test("is flagged where a control was as strong, in the same ball alone", () => {
    const noise = (right: number, successes: number) =>
      attack({ right, successes, method: "sign-noise", access: "label" });
    const gradient = attack({ right: 20, successes: 100 });
    expect(flagsOf(gradient, noise(20, 100))).toEqual(["noise-as-strong"]);
    expect(flagsOf(gradient, noise(30, 90))).toEqual(["noise-as-strong"]);
    expect(flagsOf(gradient, noise(100, 20))).toEqual([]);
    expect(flagsOf(gradient, { ...noise(20, 100), radius: 16 / 255 })).toEqual([]);
    // A query attack that is as strong is no control.
    expect(flagsOf(gradient, { ...noise(20, 100), method: "square", access: "scores" })).toEqual([]);
  });

  test("of few samples is not flagged for a control with half its successes", () => {
    const few = (successes: number) => ({ samples: 10, successes, robustAccuracy: wilson(10 - successes, 10) });
    const noise = { ...attack({ method: "sign-noise", access: "label" }), ...few(4) };
    expect(flagsOf({ ...attack({}), ...few(7) }, noise)).toEqual([]);
    expect(flagsOf({ ...attack({}), ...few(7) }, { ...noise, ...few(6) })).toEqual(["noise-as-strong"]);
  });

  test("is flagged for neither where nothing falls", () => {
    const idle = { right: 200, successes: 0 };
    expect(flagsOf(attack(idle), attack({ ...idle, method: "sign-noise", access: "label" }))).toEqual([]);
  });
});
