import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tTest } from "../../src/measures/statistics/t-test.js";
import { claimsPlanSchema, type EstimateForm, verdictSchema } from "../../src/schema/study/claims.js";
import { blockValue, columnsOf } from "../../src/studies/study/claims/block-values.js";
import { effectOf } from "../../src/studies/study/claims/effect.js";
import { type BlockTable, judgeClaims, protocolClaims } from "../../src/studies/study/claims/index.js";
import { fewestBlocks } from "../../src/studies/study/claims/judge.js";
import { drawBlocks, planOf, verdictsIn } from "./claims-worlds.js";

/** A block whose "a" has `rise` more than "b", in whole hundredths. */
const block = (rise: number, i: number, cell = `cell ${i % 6}`): BlockTable => ({
  id: `block ${i}`,
  cell,
  columns: {
    a: Array.from({ length: 100 }, (_, k) => Number(k < 50 + Math.max(0, rise))),
    b: Array.from({ length: 100 }, (_, k) => Number(k < 50 + Math.max(0, -rise))),
  },
});

/** One verdict on blocks with these rises in points. */
const judge = (rises: readonly number[], claim: Parameters<typeof planOf>[0][number] = {}, others = 0) => {
  const plan = planOf([claim, ...Array.from({ length: others }, () => ({}))]);
  const nothing = { blocks: [1, -1, 1, -1].map((rise, i) => block(rise, i)) };
  const data = Object.fromEntries(plan.claims.map(({ id }) => [id, nothing]));
  return judgeClaims(plan, { ...data, "claim 0": { blocks: rises.map((rise, i) => block(rise, i)) } })[0];
};

const TWELVE = [4, 6, 5, 7, 3, 5, 6, 4, 5, 7, 4, 5];

describe("the verdict rule", () => {
  it("supports a claim with effect, test, interval and cells on its side", () => {
    const verdict = judge(TWELVE);
    expect(verdict.verdict).toBe("supported");
    expect(verdict.reason).toMatch(/^0\.0508 \(0\.043 to 0\.0587\), 6 of 6 cells agree$/);
    expect(verdict.p).toBeCloseTo(2 / 4096, 14);
    expect(verdict.endpoints[0].tTest).toBeCloseTo(tTest(TWELVE).p, 14);
    expect(verdictSchema.parse(verdict)).toEqual(verdict);
  });

  it("refutes it when the whole interval lies on the other side, however small the effect", () => {
    expect(judge(TWELVE.map((rise) => -rise))).toMatchObject({ verdict: "refuted" });
    expect(judge([-1, -2, -1, -1, -2, -1, -1, -1]).reason).toMatch(/lies wholly on the other side of 0$/);
  });

  it("calls an effect within the smallest of interest practically nil, also one that is there for certain", () => {
    expect(judge([1, -1, 0, 1, 0, -1, 0, 1])).toMatchObject({ verdict: "practically-nil" });
    const small = judge([1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1]);
    expect(small.p).toBeLessThan(0.001);
    expect(small).toMatchObject({ verdict: "practically-nil" });
  });

  it("calls practically nil only what has its whole interval within the smallest of interest", () => {
    let [within, beyond] = [0, 0];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 4, maxLength: 12 }), (rises) => {
        const { verdict, endpoints } = judge(rises);
        const [{ interval, smallest, equivalence }] = endpoints;
        const isWithin = interval?.every((end) => Math.abs(end) < smallest) ?? false;
        if (verdict === "practically-nil") expect(isWithin).toBe(true);
        if (isWithin && verdict !== "refuted") expect(verdict).not.toBe("inconclusive");
        within += Number(isWithin);
        beyond += Number(!isWithin && (equivalence ?? 1) < 0.05);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(within).toBeGreaterThan(10);
    expect(beyond).toBeGreaterThan(10);
  });

  it("says effects on the scale of its endpoint, and names the endpoint where there are several", () => {
    const [endpoint] = planOf([{}]).claims[0].endpoints;
    const shares = judge(TWELVE, { endpoints: [{ ...endpoint, scale: "share" }] });
    expect(shares.reason).toBe("5.1 points (4.3 to 5.9 points), 6 of 6 cells agree");
    const ratios = judge(TWELVE, { endpoints: [{ ...endpoint, scale: "logarithm" }] });
    expect(ratios.reason).toMatch(/^1\.05× \(1\.04 to 1\.06×\)/);
    const both = judge(TWELVE, { endpoints: [endpoint, { ...endpoint, name: "again" }] });
    expect(both.reason).toMatch(/^difference: 0\.0508 .*; again: 0\.0508 /);
  });

  it("is inconclusive for a large effect of few networks, and says what is missing", () => {
    const verdict = judge([9, -8, 12, 1, -6, 14, 3, 10, -4]);
    expect(verdict.verdict).toBe("inconclusive");
    expect(verdict.reason).toMatch(/adjusted p 0\.2.*the interval .* holds 0.*power for the smallest effect is \d+ %/);
  });

  it("needs the claimed sign in 5 of 6 cells", () => {
    // Cells 0 and 1 disagree, by little: the rest carries the effect.
    const rises = [-1, -1, 9, 10, 11, 10, -1, -1, 9, 10, 11, 10, -1, -1, 10, 10, 9, 11];
    const verdict = judge(rises);
    expect(verdict.adjusted).toBeLessThan(0.05);
    expect(verdict).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("4 of 6 cells have the claimed sign, 5 are needed"),
    });
    // With one of the two cells on the claimed side, five agree.
    expect(judge(rises.map((rise, i) => (i % 6 === 0 ? 2 : rise))).verdict).toBe("supported");
  });

  it("does not support an effect below the smallest of interest", () => {
    const claim = planOf([{}]).claims[0].endpoints[0];
    const verdict = judge(TWELVE, { endpoints: [{ ...claim, smallest: 0.055 }] });
    expect(verdict.verdict).not.toBe("supported");
    expect(verdict.reason).toContain("the effect 0.0508 is smaller than 0.055");
  });

  it("of one block is inconclusive, whatever its samples say", () => {
    expect(judge([40])).toMatchObject({
      verdict: "inconclusive",
      reason: "1 block: it has no interval over networks",
      p: null,
    });
  });

  it("mirrors: the opposite claim on swapped columns has the same verdict", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -12, max: 12 }), { minLength: 2, maxLength: 10 }), (rises) => {
        const [endpoint] = planOf([{}]).claims[0].endpoints;
        const opposite = judge(
          rises.map((rise) => -rise),
          { endpoints: [{ ...endpoint, direction: "less" }] },
        );
        expect(opposite.verdict).toBe(judge(rises).verdict);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the test over blocks", () => {
  it("needs 8 blocks to pass Holm's first step of six, and says so", () => {
    const difference = { estimate: { kind: "difference", of: "a", minus: "b" }, sides: 2 } as const;
    expect(fewestBlocks(difference, 0.05 / 6)).toBe(8);
    expect(fewestBlocks({ ...difference, sides: 1 }, 0.05 / 6)).toBe(7);
    expect(fewestBlocks(difference, 0.05)).toBe(6);
    const six = judge(TWELVE.slice(0, 6), {}, 5);
    expect(six.adjusted).toBeCloseTo(6 * (2 / 64), 12);
    expect(six).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("too few blocks: 6, the test needs 8"),
    });
    expect(judge(TWELVE.slice(0, 8), {}, 5).verdict).toBe("supported");
  });

  it("is adjusted by Holm over confirmatory claims, and by Benjamini-Hochberg over the others", () => {
    const plan = planOf([{}, {}, { confirmatory: false }, { confirmatory: false }]);
    const of = (rises: readonly number[]) => ({ blocks: rises.map((rise, i) => block(rise, i)) });
    const data = [TWELVE, TWELVE.slice(0, 6), TWELVE.slice(0, 5), TWELVE.slice(0, 7)].map(of);
    const verdicts = judgeClaims(plan, Object.fromEntries(data.map((d, i) => [`claim ${i}`, d])));
    expect(verdicts.map(({ adjustment }) => adjustment)).toEqual([
      "holm",
      "holm",
      "benjamini-hochberg",
      "benjamini-hochberg",
    ]);
    const adjusted = verdicts.map((verdict) => verdict.adjusted ?? 1);
    for (const [i, p] of [4 / 4096, 2 / 64, 2 / 32, 4 / 128].entries()) expect(adjusted[i]).toBeCloseTo(p, 12);
  });

  it("holds the paired table of each block, and none where values are no yes and no", () => {
    const [{ pairs }] = judge(TWELVE).endpoints[0].blocks;
    expect(pairs).toMatchObject({ both: 50, onlyOf: 4, onlyMinus: 0, neither: 46, exact: 0.125, midP: 0.0625 });
    const costs = [{ ...block(1, 0), columns: { a: [0.5, 0.7], b: [0.1, 0.2] } }];
    const form = { kind: "difference", of: "a", minus: "b" } as const;
    expect(effectOf(form, costs, { level: 0.95, seed: 0 }).blocks[0].pairs).toBeUndefined();
  });
});

describe("checks", () => {
  const control = { name: "slow", estimate: { kind: "difference", of: "a", minus: "b" }, bound: 0.02 } as const;

  it("that failed or did not run make any verdict inconclusive", () => {
    const plan = planOf([{ checks: ["assay"] }]);
    const blocks = TWELVE.map((rise, i) => block(rise, i));
    const withChecks = (checks: { name: string; passed: boolean; detail: string }[]) =>
      judgeClaims(plan, { "claim 0": { blocks, checks } })[0];
    expect(withChecks([{ name: "assay", passed: true, detail: "" }]).verdict).toBe("supported");
    expect(withChecks([])).toMatchObject({ verdict: "inconclusive", reason: "failed checks: assay (it was not run)" });
    expect(withChecks([{ name: "assay", passed: false, detail: "white-box 40 %, transfer 60 %" }]).reason).toContain(
      "white-box 40 %",
    );
  });

  it("by a control ask for its whole interval on one side of the bound", () => {
    expect(judge(TWELVE, { controls: [{ ...control, side: "above" }] }).verdict).toBe("supported");
    const failed = judge(TWELVE, { controls: [{ ...control, side: "below" }] });
    expect(failed).toMatchObject({
      verdict: "inconclusive",
      reason: "failed checks: slow (0.043 to 0.0587 must lie below 0.02)",
    });
    expect(judge(TWELVE, { controls: [{ ...control, side: "above", bound: 0.045 }] }).verdict).toBe("inconclusive");
  });
});

describe("effects", () => {
  const settings = { level: 0.95, seed: 0 };

  it("of a log ratio are the log of yields per cost, and no success counts as half a sample", () => {
    const form: EstimateForm = { kind: "log-ratio", of: { gain: "s", cost: "m" }, to: { gain: "t", cost: "n" } };
    expect(columnsOf(form)).toEqual(["s", "m", "t", "n"]);
    const value = blockValue(form, block(0, 0), 50);
    expect(value([0.4, 2, 0.1, 3])).toBeCloseTo(Math.log(0.4 / 2 / (0.1 / 3)), 14);
    expect(value([0, 1, 0.01, 1])).toBeCloseTo(0, 14);
  });

  it("of a slope are least squares on the block's constants", () => {
    const table: BlockTable = {
      id: "b",
      cell: "c",
      columns: { x: [1, 1], y: [2, 4], z: [6, 8] },
      constants: { x: 0, y: 1, z: 3 },
    };
    expect(effectOf({ kind: "slope", columns: ["x", "y", "z"] }, [table], settings).effect).toBeCloseTo(2, 12);
    expect(() => effectOf({ kind: "slope", columns: ["x", "y"] }, [block(0, 0)], settings)).toThrow("claims/data");
  });

  it("of a regression weigh the slopes of blocks to the coefficient", () => {
    const blocks = Array.from({ length: 6 }, (_, i) => {
      const term = [0, 1, 2, 3, 4];
      const other = [1, 0, 2, 0, 1];
      const y = term.map((x, k) => 5 * i + (2 + 0.1 * i) * x - 0.5 * other[k]);
      return { id: `b${i}`, cell: `c${i % 3}`, columns: { y, term, other }, factors: { kind: `k${i}` } };
    });
    const form: EstimateForm = { kind: "regression", outcome: "y", term: "term", others: ["other"], factors: ["kind"] };
    const { effect, blocks: rows, cells, interval, test } = effectOf(form, blocks, settings);
    expect(effect).toBeCloseTo(2.25, 10);
    expect(rows.reduce((sum, row) => sum + row.value, 0) / 6).toBeCloseTo(effect, 10);
    expect(cells).toHaveLength(3);
    expect(interval?.[0]).toBeLessThan(2.25);
    expect(test).toContain("clustered");
    expect(effectOf({ ...form, factors: [] }, blocks.slice(0, 1), settings).interval).toBeNull();
  });

  it("refuse tables without a column, with holes or with columns of different lengths", () => {
    const form: EstimateForm = { kind: "difference", of: "a", minus: "b" };
    const refuse = (columns: Record<string, number[]>) =>
      expect(() => effectOf(form, [{ id: "block 7", cell: "c", columns }], settings));
    refuse({ a: [1] }).toThrow('block 7: column "b" is missing. Got a, expected b. [claims/data]');
    refuse({ a: [1, Number.NaN], b: [1, 0] }).toThrow('column "a" has no number in row 1');
    refuse({ a: [1], b: [1, 0] }).toThrow('column "a" has another length');
    refuse({ a: [], b: [] }).toThrow("claims/data");
    expect(() => judgeClaims(planOf([{}]), {})).toThrow("claim claim 0: it has no tables");
  });
});

describe("the protocol's claims", () => {
  const plan = { ...protocolClaims(), draws: 20, powerDraws: 20 };

  it("are six, all confirmatory, of one engine", () => {
    expect(plan.claims.map(({ id, confirmatory }) => [id, confirmatory])).toEqual(
      ["C0", "C1", "C2", "C3", "C4", "C5"].map((id) => [id, true]),
    );
    expect(claimsPlanSchema.parse(plan)).toEqual(plan);
  });

  /** A table for a claim: every column it names, in which `shift` says how it differs. */
  const tables = (id: string, shift: (column: string, i: number, row: number) => number): BlockTable[] =>
    Array.from({ length: 18 }, (_, i) => {
      const forms = plan.claims
        .flatMap((c) => (c.id === id ? [...c.endpoints, ...c.controls] : []))
        .map((e) => e.estimate);
      const names = forms.flatMap((form) =>
        form.kind === "regression" ? [form.outcome, form.term, ...form.others] : [...columnsOf(form)],
      );
      const columns = Object.fromEntries(
        names.map((name) => [name, Array.from({ length: 24 }, (__, row) => shift(name, i, row))]),
      );
      const constants = Object.fromEntries(names.map((name, at) => [name, Math.log(1 + at)]));
      return { id: `b${i}`, cell: `c${i % 6}`, columns, constants, factors: { architecture: `a${i % 3}` } };
    });
  const verdictOf = (id: string, blocks: readonly BlockTable[]) => {
    const claim = plan.claims.filter((c) => c.id === id).map((c) => ({ ...c, checks: [] }));
    return judgeClaims({ ...plan, claims: claim }, { [id]: { blocks } })[0];
  };
  const wobble = (i: number, row: number): number => 0.01 * Math.sin(7 * i + row);

  it("C2 is a ratio of yields: twice the samples per MAC support it, the same number is practically nil", () => {
    const yields = (factor: number) =>
      tables("C2", (name, i, row) => (name === "adversarial by joint" ? factor : 1) + wobble(i + name.length, row));
    expect(verdictOf("C2", yields(2))).toMatchObject({ verdict: "supported" });
    expect(verdictOf("C2", yields(1))).toMatchObject({ verdict: "practically-nil" });
    expect(verdictOf("C2", yields(0.5))).toMatchObject({ verdict: "refuted" });
  });

  it("C3 is non-inferiority: no rise supports it, a rise beyond the margin refutes it, and both need their controls", () => {
    const costs = (attacked: number, slowdown: number, noise: number) => {
      const rise: Readonly<Record<string, number>> = {
        "cost attacked": attacked,
        "cost slowdown": slowdown,
        "cost noise": noise,
      };
      return verdictOf(
        "C3",
        tables("C3", (name, i, row) => 0.5 + (rise[name] ?? 0) + wobble(i + name.length, row)),
      );
    };
    expect(costs(0.01, 0.3, 0)).toMatchObject({ verdict: "supported" });
    expect(costs(0.2, 0.3, 0)).toMatchObject({ verdict: "refuted" });
    expect(costs(0.01, 0.02, 0)).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("a slowdown attack exceeds the margin"),
    });
    expect(costs(0.01, 0.3, 0.2)).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("sign noise"),
    });
  });

  it("C4 is a slope: changes that grow with the cost of the first exit support it", () => {
    const slope = (by: number) =>
      verdictOf(
        "C4",
        tables("C4", (name, i, row) => 0.2 + by * Number(name.at(-1)) + wobble(i, row)),
      );
    expect(slope(0.2).verdict).toBe("supported");
    expect(slope(-0.2).verdict).toBe("refuted");
  });

  it("C5 needs both coefficients: one that is nil or on the other side does not support it", () => {
    const effects = (dependency: number, sparsity: number) => {
      const at = (name: string, i: number, row: number): number =>
        name === "dependency"
          ? (row % 4) / 3 + wobble(i, row)
          : name === "sparsity"
            ? (row % 3) / 2 + wobble(row, i)
            : row % 5;
      const y = (i: number, row: number): number =>
        dependency * at("dependency", i, row) + sparsity * at("sparsity", i, row) + 3 * wobble(3 * i, 5 * row);
      return verdictOf(
        "C5",
        tables("C5", (name, i, row) => (name === "log minimum L2" ? y(i, row) : at(name, i, row))),
      );
    };
    expect(effects(0.5, -0.5)).toMatchObject({ verdict: "supported", p: expect.any(Number) });
    expect(effects(0.5, 0.5)).toMatchObject({
      verdict: "refuted",
      reason: expect.stringContaining("coefficient of sparsity"),
    });
    expect(effects(0.5, 0)).toMatchObject({ verdict: "inconclusive" });
    const both = effects(0.5, -0.5);
    expect(both.p).toBe(Math.max(...both.endpoints.map(({ p }) => p ?? 1)));
  });
});

describe("simulated worlds, in short", () => {
  it("a large effect is supported, its opposite refuted, and none of both called nil", () => {
    const count = (effect: number, name: string) =>
      verdictsIn({ blocks: 18, effect, samples: 60 }, 20).filter(({ verdict }) => verdict === name).length;
    expect(count(0.12, "supported")).toBe(20);
    expect(count(-0.12, "refuted")).toBe(20);
  });

  it("are the same for the same seed", () => {
    expect(drawBlocks({ blocks: 3, effect: 0.1 }, 4)).toEqual(drawBlocks({ blocks: 3, effect: 0.1 }, 4));
    expect(verdictsIn({ blocks: 6, effect: 0.1 }, 2)).toEqual(verdictsIn({ blocks: 6, effect: 0.1 }, 2));
  });
});
