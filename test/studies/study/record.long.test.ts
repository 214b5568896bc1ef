/** @file The record of a study whose truth is known: rates, effects and verdicts are those planted. */
import { beforeAll, describe, expect, test } from "vitest";
import { renderStudy } from "../../../src/report/study/page.js";
import type { StudyRecord } from "../../../src/schema/study/record.js";
import { overallOf } from "../../../src/studies/study/questions/transfer-effects.js";
import { studyRecord } from "../../../src/studies/study/record.js";
import { COSTS, fakePlan, fakeStore, type Truth } from "../../support/fake-study.js";

/** Spread between blocks, so that no test sees equal numbers. */
const wobble = (block: number): number => 0.05 * Math.sin(1 + 7 * block);

const TRUTH: Truth = {
  transfer: (from, to, block) => (from === "joint" && to === "static" ? 0.6 : 0.3) + wobble(block),
  own: (role, block) => (role === "static" ? 0.9 : 0.75) + wobble(block),
  dependency: (role, block) => (role === "joint" ? 0.6 : 0.2) + Math.round(20 * wobble(block)) / 20,
  norm: (exits, role, block) => Math.exp(-1 + 0.1 * exits.length + 0.5 * TRUTH.dependency(role, block)),
};

let record: StudyRecord;
const facts = { edited: false, notRun: [], version: "test" };

describe("a study of nine blocks", () => {
  beforeAll(async () => {
    const plan = fakePlan(9);
    record = await studyRecord(plan, await fakeStore(plan, TRUTH), facts);
  }, 120_000);

  const verdict = (claim: string) => record.verdicts.find((each) => each.claim === claim);

  test("has the planted difference of white-box success", () => {
    for (const row of record.questions.robustness) {
      expect(row.eligible).toBe(60);
      expect(row.static.value - row.routed.value).toBeCloseTo(row.difference.value, 12);
      expect(row.difference.value).toBeCloseTo(0.15, 1);
      expect(row.onlyRouted).toBe(0);
    }
    expect(verdict("C0")).toMatchObject({ verdict: "supported", blocks: 9, cells: { agree: 3, all: 3 } });
  });

  test("has the planted transfer, without networks that share weights", () => {
    const [matrix] = record.questions.transfer.matrices;
    expect(matrix.surrogates).toHaveLength(18);
    const at = (from: string, to: string) =>
      matrix.success[matrix.surrogates.indexOf(from)][matrix.targets.indexOf(to)]?.value;
    expect(at("net0-joint-s0", "net1-static-s0")).toBeCloseTo(Math.round(60 * (0.6 + wobble(0))) / 60, 12);
    expect(at("net0-static-s0", "net1-joint-s0")).toBeCloseTo(Math.round(60 * (0.3 + wobble(0))) / 60, 12);
    const effects = record.questions.transfer.effects.filter(({ attack }) => attack === "pgd-final");
    for (const { asymmetry } of effects) expect(asymmetry.value).toBeCloseTo(0.3, 10);
    expect(verdict("C1")?.effect?.value).toBeCloseTo(0.3, 10);
  });

  test("has the effects of surrogate and target with intervals, in a block and over blocks", () => {
    const { effects, overall } = record.questions.transfer;
    const own = effects.filter(({ attack }) => attack === "pgd-final");
    expect(own).toHaveLength(9);
    // 18 of 60 samples differ by 1. The quantile of t with 59 degrees of freedom is from a table.
    const half = 2.000995 * Math.sqrt((0.3 * 0.7) / 59);
    for (const { asymmetry, surrogate, target } of own) {
      for (const each of [asymmetry, surrogate]) {
        expect(each?.value).toBeCloseTo(0.3, 10);
        expect(each?.low).toBeCloseTo(0.3 - half, 6);
        expect(each?.high).toBeCloseTo(0.3 + half, 6);
      }
      expect(target).toEqual({ value: 0, low: 0, high: 0 });
    }
    const [all] = overall.filter(({ attack }) => attack === "pgd-final");
    const none = { value: 0, low: 0, high: 0 };
    expect(all).toMatchObject({ blocks: 9, radius: 4 / 255, objective: "misclassify:final", target: none });
    expect(all.asymmetry.low).toBeCloseTo(0.3, 10);
    expect(new Set(overall.map(({ attack }) => attack)).size).toBe(overall.length);
  });

  test("has effects over blocks whose interval is that of t over blocks", () => {
    const [one] = record.questions.transfer.effects;
    const blocks = [0.1, 0.2, 0.6].map((value, i) => ({
      ...one,
      asymmetry: { value, low: null, high: null },
      surrogate: i === 0 ? null : { value: 2 * value, low: null, high: null },
      target: i === 0 ? { value, low: null, high: null } : null,
    }));
    const [all] = overallOf(blocks);
    // Standard deviation sqrt(0.07); quantiles of t with 2 and 1 degrees of freedom from a table.
    const half = 4.302653 * Math.sqrt(0.07 / 3);
    expect(all.asymmetry).toEqual({
      value: expect.closeTo(0.3, 12),
      low: expect.closeTo(0.3 - half, 6),
      high: expect.closeTo(0.3 + half, 6),
    });
    const wide = 12.706205 * 0.4;
    expect(all.surrogate).toEqual({
      value: expect.closeTo(0.8, 12),
      low: expect.closeTo(0.8 - wide, 5),
      high: expect.closeTo(0.8 + wide, 5),
    });
    expect([all.target, all.blocks]).toEqual([{ value: 0.1, low: null, high: null }, 3]);
    expect(overallOf([...blocks, { ...one, attack: "other" }])).toHaveLength(2);
  });

  test("counts adversarial samples per work", () => {
    const of = (surrogate: string) =>
      record.questions.yield.find((row) => row.block === "net0-images-s0" && row.surrogate === surrogate);
    const each = (share: number) => Math.round(60 * (share + wobble(0))) / 60;
    // Per sample 3 and 9 million MACs for the static network, two thirds of it for the dynamic one.
    expect(of("static")?.perTeraMac).toBeCloseTo((each(0.3) * 1e12) / 9e6, 4);
    expect(of("dynamic, routed")?.perTeraMac).toBeCloseTo((each(0.6) * 1e12) / 6e6, 4);
    expect(of("dynamic, routed")?.perSecond).toBeCloseTo(each(0.6) * 20, 6);
    expect(of("static")?.perSecond).toBeCloseTo(each(0.3) * 10, 6);
  });

  test("sees the cost of a slowdown attack, and none of noise", () => {
    const rows = record.questions.cost.filter(({ block }) => block === "net0-images-s0");
    const shift = (attack: string) => rows.find((row) => row.attack === attack)?.shift.value;
    expect(shift("sign-noise")).toBe(0);
    // Half of the samples stopped at the first exit.
    expect(shift("slowdown")).toBeCloseTo((1 - COSTS[0]) / 2, 12);
    expect(rows.find(({ attack }) => attack === "slowdown")?.milliseconds?.value).toBeGreaterThan(0);
    expect(verdict("C3")?.verdict).toBe("supported");
  });

  test("has no slope where the first exit does not matter", () => {
    for (const { slope, scenario } of record.questions.firstExit)
      if (scenario === "across") expect(slope).toBeCloseTo(0, 10);
    expect(verdict("C4")?.verdict).toBe("practically-nil");
  });

  test("finds that more exits need a longer step", () => {
    const all = record.questions.early.rows.filter(({ block }) => block === "net0-images-s0");
    expect(all.length).toBeGreaterThan(10);
    const one = all.find(({ exits }) => exits.length === 1);
    expect(one?.medianNorm).toBeCloseTo(TRUTH.norm([0], "joint", 0), 10);
    expect(one?.dependency).toBeCloseTo(TRUTH.dependency("joint", 0), 10);
    const coefficient = (wanted: string) =>
      record.questions.early.coefficients.find(({ name }) => name === wanted)?.value;
    expect(coefficient("exits")).toBeCloseTo(0.1, 6);
    expect(coefficient("dependency")).toBeCloseTo(0.5, 6);
  });

  test("passes all checks, and draws its report", () => {
    for (const { checks } of record.verdicts) expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(renderStudy(record)).toContain("Attacks transfer better from dynamic to static networks than back");
  });
});

describe("a study whose networks have every clean sample wrong", () => {
  test("says so where a claim has no block, and not that networks are missing", async () => {
    const plan = fakePlan(2);
    const { verdicts, notRun } = await studyRecord(plan, await fakeStore(plan, { ...TRUTH, cleanWrong: 1 }), facts);
    for (const claim of ["C0", "C1", "C2", "C3", "C4"]) {
      const { reason, blocks, verdict } = verdicts.find((each) => each.claim === claim) ?? {};
      expect([claim, verdict, blocks]).toEqual([claim, "inconclusive", 0]);
      expect(reason).toMatch(/no sample is answered rightly by every network that is compared when clean/);
      expect(reason).not.toMatch(/missing/);
    }
    expect(notRun.map(({ what }) => what)).toContain("robustness of net0-images-s0");
  });
});

describe("a study whose attack is broken", () => {
  test("is inconclusive and names the check", async () => {
    const plan = fakePlan(6);
    const weak: Truth = { ...TRUTH, own: () => 0.1 };
    const { verdicts } = await studyRecord(plan, await fakeStore(plan, weak), facts);
    const [first] = verdicts;
    expect(first?.verdict).toBe("inconclusive");
    expect(first?.reason).toContain("white-box at least as strong as transfer");
  });
});

describe("a study of one block", () => {
  test("has no verdict, and says why", async () => {
    const plan = fakePlan(1, ["static", "joint"]);
    const made = await studyRecord(plan, await fakeStore(plan, TRUTH), facts);
    expect(new Set(made.verdicts.map(({ verdict }) => verdict))).toEqual(new Set(["inconclusive"]));
    expect(made.verdicts.find(({ claim }) => claim === "C4")?.reason).toContain("missing");
    expect(renderStudy(made).length).toBeGreaterThan(1000);
  });
});
