import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Logits } from "../../../src/core/logits.js";
import { type Routed, route, routeOne } from "../../../src/dynamic/route/route.js";
import {
  type Fallback,
  NEVER_FIRES,
  type Policy,
  RULES,
  type Rule,
  thresholdCount,
} from "../../../src/schema/policy.js";

const logs = (...p: readonly number[]): Float32Array => Float32Array.from(p, Math.log);
const stops = (routed: readonly Routed[]): number[] => routed.map((r) => r.stop);

/** Three exits: unsure of class 0, fairly sure of class 1, unsure of class 1. */
const example = [logs(0.5, 0.3, 0.2), logs(0.1, 0.8, 0.1), logs(0.3, 0.6, 0.1)];
const policy = (rule: Rule, thresholds: readonly number[], fallback: Fallback = "final"): Policy => ({
  rule,
  thresholds,
  fallback,
});
const routed = (p: Policy) => {
  const { stop, answer, label } = routeOne(example, p, 3) as Routed;
  return { stop, answer, label };
};

describe("each rule by hand", () => {
  test.each<[string, Policy, number, number, number]>([
    ["max-softmax: the first exit past its threshold", policy("max-softmax", [0.7, 0.7]), 1, 1, 1],
    ["max-softmax: each exit has its own", policy("max-softmax", [0.4, 0.7]), 0, 0, 0],
    ["max-softmax, none: the final exit", policy("max-softmax", [0.9, 0.9]), 2, 2, 1],
    ["max-softmax, none: the most confident", policy("max-softmax", [0.9, 0.9], "most-confident"), 2, 1, 1],
    // entropies: 1.030, 0.639, 0.898 nats
    ["entropy: the first exit below its threshold", policy("entropy", [0.7, 0.7]), 1, 1, 1],
    ["entropy, none: the one of least entropy", policy("entropy", [0.6, 0.6], "most-confident"), 2, 1, 1],
    ["margin: leads of 0.2, 0.7, 0.3", policy("margin", [0.15, 0.9]), 0, 0, 0],
    ["margin, none: the largest lead", policy("margin", [0.75, 0.75], "most-confident"), 2, 1, 1],
    ["max-softmax: a threshold is its own exit's", policy("max-softmax", [0.9, 0.7]), 1, 1, 1],
    ["patience 2: the final exit agrees, and does not fire", policy("patience", [2], "most-confident"), 2, 1, 1],
    ["patience 2 does not count the label of an exit further back", policy("patience", [2], "final"), 2, 2, 1],
    ["patience 1: the first exit", policy("patience", [1]), 0, 0, 0],
    ["patience 2: no two early exits agree", policy("patience", [2]), 2, 2, 1],
    ["patience, none: the most confident", policy("patience", [3], "most-confident"), 2, 1, 1],
  ])("%s", (_, p, stop, answer, label) => expect(routed(p)).toEqual({ stop, answer, label }));

  test("the confidence is the rule's, at the exit that answers", () => {
    expect(routeOne(example, policy("margin", [0.9, 0.9], "most-confident"), 3)?.confidence).toBeCloseTo(0.7, 6);
    expect(routeOne(example, policy("entropy", [-1, -1]), 3)?.confidence).toBeCloseTo(0.8979457, 6);
  });

  test("a temperature flattens its exit's softmax: p^(1/T), normalised", () => {
    const flat = { ...policy("max-softmax", [0.9, 0.65]), temperatures: [1, 2, 1] };
    const p = [0.1, 0.8, 0.1].map(Math.sqrt);
    expect(routeOne(example, { ...flat, thresholds: [0.9, 0.58] }, 3)).toMatchObject({ stop: 1, label: 1 });
    expect(routeOne(example, { ...flat, thresholds: [0.9, 0.58] }, 3)?.confidence).toBeCloseTo(
      p[1] / p.reduce((a, b) => a + b),
      6,
    );
    expect(routeOne(example, flat, 3)?.stop).toBe(2);
  });

  test("patience counts exits in a row, and starts again when the label changes", () => {
    const rows = [0, 1, 1, 0, 0, 0, 1].map((label) => (label === 0 ? logs(0.9, 0.1) : logs(0.1, 0.9)));
    const stopAt = (k: number) => routeOne(rows, policy("patience", [k]), rows.length)?.stop;
    expect([1, 2, 3, 4].map(stopAt)).toEqual([0, 2, 5, 6]);
  });

  test("ties: of equal logits the first label, of equally confident exits the first", () => {
    const rows = [logs(0.5, 0.5), logs(0.5, 0.5), logs(0.5, 0.5)];
    expect(routeOne(rows, policy("max-softmax", [0.9, 0.9], "most-confident"), 3)).toMatchObject({
      stop: 2,
      answer: 0,
      label: 0,
    });
  });

  test("logits that are not numbers never leave early", () => {
    const rows = [Float32Array.of(Number.NaN, 0), logs(0.9, 0.1)];
    for (const rule of ["max-softmax", "entropy", "margin"] as const)
      expect(routeOne(rows, policy(rule, [rule === "entropy" ? 9 : 0]), 2)?.stop).toBe(1);
  });

  test("a static network answers with its only exit", () => {
    expect(routeOne([logs(0.2, 0.8)], policy("max-softmax", []), 1)).toMatchObject({ stop: 0, answer: 0, label: 1 });
  });
});

/** Logits of up to six samples for two to five exits and two to four classes; few different values,
 * so that ties occur. */
const batch = fc
  .record({
    exits: fc.integer({ min: 2, max: 5 }),
    classes: fc.integer({ min: 2, max: 4 }),
    n: fc.integer({ min: 1, max: 6 }),
  })
  .chain(({ exits, classes, n }) =>
    fc.record({
      exits: fc.constant(exits),
      n: fc.constant(n),
      logits: fc
        .array(
          fc
            .array(fc.integer({ min: -4, max: 4 }), { minLength: n * classes, maxLength: n * classes })
            .map((values) => Float32Array.from(values, (v) => v / 2)),
          { minLength: exits, maxLength: exits },
        )
        .map((each) => new Logits(each, classes)),
    }),
  );
const rule = fc.constantFrom(...RULES);
const confidenceRule = fc.constantFrom("max-softmax" as const, "entropy" as const, "margin" as const);
const fallback = fc.constantFrom<Fallback>("final", "most-confident");
const threshold = fc.double({ min: 0, max: 1.5, noNaN: true });

const fill = (r: Rule, exits: number, t: number): number[] => new Array<number>(thresholdCount(r, exits)).fill(t);

/** Thresholds from the loosest to the strictest of a rule. */
const strictness = (r: Rule, t: number): number =>
  r === "entropy" ? 1.5 - t : r === "patience" ? 1 + Math.floor(t * 4) : t;

describe("laws", () => {
  test("at the loosest threshold all work stops at the first exit", () => {
    fc.assert(
      fc.property(batch, rule, fallback, ({ logits, exits }, r, f) => {
        const loosest = { "max-softmax": 0, margin: 0, entropy: Math.log(logits.classes) + 1e-12, patience: 1 }[r];
        const all = route(logits, { rule: r, fallback: f, thresholds: fill(r, exits, loosest) });
        expect(all.every((x) => x.stop === 0 && x.answer === 0)).toBe(true);
      }),
    );
  });

  test("at a threshold that is never reached all work goes to the last exit", () => {
    fc.assert(
      fc.property(batch, rule, fallback, ({ logits, exits }, r, f) => {
        const all = route(logits, { rule: r, fallback: f, thresholds: fill(r, exits, NEVER_FIRES[r]) });
        expect(all.every((x) => x.stop === exits - 1)).toBe(true);
        if (f === "final") expect(all.every((x) => x.answer === exits - 1)).toBe(true);
      }),
    );
  });

  test("no sample stops earlier when the threshold is stricter, so the cost never falls", () => {
    fc.assert(
      fc.property(batch, rule, fallback, threshold, threshold, ({ logits, exits }, r, f, s, t) => {
        const at = (x: number) =>
          stops(route(logits, { rule: r, fallback: f, thresholds: fill(r, exits, strictness(r, x)) }));
        const [loose, strict] = [at(Math.min(s, t)), at(Math.max(s, t))];
        expect(loose.every((stop, i) => stop <= strict[i])).toBe(true);
      }),
    );
  });

  test("a batch is routed as its samples are one by one", () => {
    fc.assert(
      fc.property(batch, rule, fallback, threshold, ({ logits, n, exits }, r, f, t) => {
        const p = { rule: r, fallback: f, thresholds: fill(r, exits, strictness(r, t)) };
        const whole = route(logits, p);
        expect(whole.length).toBe(n);
        whole.forEach((x, i) => expect(x).toEqual(routeOne(logits.rows(i), p, exits)));
      }),
    );
  });

  test("a prefix of the exits gives the whole answer when one of them fires, and none when none does", () => {
    fc.assert(
      fc.property(batch, rule, fallback, threshold, fc.nat(4), ({ logits, exits }, r, f, t, cut) => {
        const p = { rule: r, fallback: f, thresholds: fill(r, exits, strictness(r, t)) };
        const rows = logits.rows(0);
        const whole = routeOne(rows, p, exits) as Routed;
        const length = Math.min(cut, exits - 1);
        expect(routeOne(rows.slice(0, length), p, exits)).toEqual(whole.stop < length ? whole : undefined);
      }),
    );
  });

  test("the answer carries the label and confidence of the exit that it names; the exits before did not fire", () => {
    fc.assert(
      fc.property(batch, confidenceRule, fallback, threshold, ({ logits, exits }, r, f, t) => {
        const at = strictness(r, t);
        const x = routeOne(logits.rows(0), { rule: r, fallback: f, thresholds: fill(r, exits, at) }, exits) as Routed;
        const confidences = logits.rows(0).map((row) => {
          const e = Array.from(row, Math.exp);
          const total = e.reduce((a, b) => a + b, 0);
          const p = e.map((v) => v / total).sort((a, b) => b - a);
          const entropy = -p.reduce((sum, v) => sum + v * Math.log(v), 0);
          return { "max-softmax": p[0], entropy, margin: p[0] - p[1] }[r];
        });
        const row = logits.row(x.answer, 0);
        expect(row[x.label]).toBe(Math.max(...row));
        expect(x.confidence).toBeCloseTo(confidences[x.answer], 9);
        const past = (c: number) => (r === "entropy" ? c <= at - 1e-9 : c >= at + 1e-9);
        expect(confidences.slice(0, x.stop).some(past)).toBe(false);
        if (x.stop < exits - 1) expect(x.answer).toBe(x.stop);
      }),
    );
  });
});

describe("a policy of another network", () => {
  const logits = new Logits(example, 3);
  test.each<[string, Policy]>([
    ["too few thresholds", policy("margin", [0.5])],
    ["too many thresholds", policy("max-softmax", [0.5, 0.5, 0.5])],
    ["thresholds per exit for patience", policy("patience", [2, 2])],
    ["no number", policy("entropy", [Number.NaN, 0.5])],
    ["too few temperatures", { ...policy("margin", [0.5, 0.5]), temperatures: [1, 1] }],
    ["a temperature of zero", { ...policy("margin", [0.5, 0.5]), temperatures: [1, 0, 1] }],
  ])("is refused: %s", (_, wrong) => {
    expect(() => route(logits, wrong)).toThrow(/\[policy\/value\]$/);
  });
});
