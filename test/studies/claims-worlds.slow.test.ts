/** @file Verdicts in simulated studies with a known truth: how often they are wrong, and how often intervals hold the truth. All numbers follow
 *  from fixed seeds, so they are the same in every run. */
import { describe, expect, it } from "vitest";
import { hierarchicalBootstrap } from "../../src/measures/statistics/bootstrap.js";
import { powerOverBlocks } from "../../src/measures/statistics/power.js";
import type { EstimateForm, Verdict } from "../../src/schema/study/claims.js";
import { effectOf } from "../../src/studies/study/claims/effect.js";
import { judgeClaims } from "../../src/studies/study/claims/index.js";
import { drawBlocks, drawSlopes, planOf, shareOf, verdictsIn } from "./claims-worlds.js";

const STUDIES = 600;
/** Samples per block: few, so that many studies fit into a minute. */
const SAMPLES = 60;
const SMALLEST = 0.03;
const BLOCKS = [6, 12, 18];
const EFFECTS = [0, SMALLEST, -SMALLEST];

/** Whether a verdict denies the truth. */
const isFalse = (verdict: string, effect: number): boolean =>
  (verdict === "supported" && effect <= 0) ||
  (verdict === "refuted" && effect >= 0) ||
  (verdict === "practically-nil" && Math.abs(effect) >= SMALLEST);

const DIFFERENCE: EstimateForm = { kind: "difference", of: "a", minus: "b" };
const REGRESSION: EstimateForm = { kind: "regression", outcome: "y", term: "x", others: ["z"], factors: [] };

const holds = (interval: readonly [number, number] | null, truth: number): boolean =>
  interval !== null && interval[0] <= truth && truth <= interval[1];

const show = (what: string, { value, error }: { value: number; error: number }): void =>
  console.log(`${what}: ${(100 * value).toFixed(1)} % +- ${(100 * error).toFixed(1)}`);

/** Verdicts of each world, made once. */
const made = new Map<string, readonly Verdict[]>();
function verdictsAt(blocks: number, effect: number): readonly Verdict[] {
  const key = `${blocks} ${effect}`;
  const verdicts = made.get(key) ?? verdictsIn({ blocks, effect, samples: SAMPLES }, STUDIES);
  made.set(key, verdicts);
  return verdicts;
}

/** Shows the share of intervals that hold the truth, and asks for 93 to 97 %. */
function expectCoverage(what: string, inside: readonly boolean[]): void {
  const value = inside.filter(Boolean).length / inside.length;
  show(what, { value, error: Math.sqrt((value * (1 - value)) / inside.length) });
  expect(value).toBeGreaterThanOrEqual(0.93);
  expect(value).toBeLessThanOrEqual(0.97);
}

describe.each(BLOCKS)("%i blocks", (blocks) => {
  it.each(EFFECTS)("at a true effect of %d give at most 5 %% false verdicts", (effect) => {
    const share = shareOf(verdictsAt(blocks, effect), ({ verdict }) => isFalse(verdict, effect));
    show(`${blocks} blocks, effect ${effect}, false verdicts`, share);
    expect(share.value).toBeLessThanOrEqual(0.05);
  });

  it("have intervals that hold the truth in 93 to 97 % of the studies", () => {
    const inside = EFFECTS.flatMap((effect) =>
      verdictsAt(blocks, effect).map(({ endpoints: [{ interval }] }) => holds(interval, effect)),
    );
    expectCoverage(`${blocks} blocks, coverage of t`, inside);
  });

  it("have such intervals also where the differences between networks are skewed", () => {
    const inside = Array.from({ length: 1000 }, (_, seed) => {
      const tables = drawBlocks({ blocks, effect: 0, samples: SAMPLES, skewed: true }, seed);
      return holds(effectOf(DIFFERENCE, tables, { level: 0.95, seed }).interval, 0);
    });
    expectCoverage(`${blocks} blocks, skewed, coverage of t`, inside);
  });

  it("have such intervals of a regression whose slopes differ between blocks", () => {
    const inside = Array.from({ length: 1000 }, (_, seed) => {
      const tables = drawSlopes(blocks, seed);
      return holds(effectOf(REGRESSION, tables, { level: 0.95, seed }).interval, 0.5);
    });
    expectCoverage(`${blocks} blocks, coverage of clustered errors`, inside);
  });
});

it("six claims without any effect: at most 5 % of the studies support one of them", () => {
  const plan = planOf(Array.from({ length: 6 }, () => ({})));
  const studies = Array.from({ length: 100 }, (_, study) => {
    const tables = plan.claims.map(({ id }, i) => [
      id,
      { blocks: drawBlocks({ blocks: 12, effect: 0, samples: SAMPLES }, 6 * study + i) },
    ]);
    return judgeClaims(plan, Object.fromEntries(tables));
  });
  const share = studies.filter((verdicts) => verdicts.some(({ verdict }) => verdict === "supported")).length / 100;
  show("six claims, any supported", { value: share, error: Math.sqrt((share * (1 - share)) / 100) });
  expect(share).toBeLessThanOrEqual(0.05);
});

it("a rise of exactly the margin passes for none in at most 5 % of the studies", () => {
  const endpoint = { name: "rise", estimate: { kind: "difference", of: "a", minus: "b" }, direction: "less" } as const;
  const claim = {
    endpoints: [{ ...endpoint, scale: "share" as const, reference: 0.05, smallest: 0, sides: 1 as const }],
  };
  const supported = (effect: number) =>
    shareOf(verdictsIn({ blocks: 18, effect, samples: SAMPLES }, 300, claim), ({ verdict }) => verdict === "supported");
  const [atMargin, none] = [supported(0.05), supported(0)];
  show("non-inferiority at the margin, supported", atMargin);
  show("non-inferiority without a rise, supported", none);
  expect(atMargin.value).toBeLessThanOrEqual(0.05);
  expect(none.value).toBeGreaterThan(0.7);
});

it("BCa over 6 blocks is too short where the spread between networks outweighs the noise of samples", () => {
  const value = ([a, b]: Float64Array): number => a - b;
  const inside = Array.from({ length: STUDIES }, (_, seed) => {
    const blocks = drawBlocks({ blocks: 6, effect: 0, spread: 0.15, samples: SAMPLES }, seed);
    const [low, high] = hierarchicalBootstrap(
      blocks.map(({ columns: { a, b } }) => [a, b]),
      { value, draws: 500, seed },
    ).bca;
    return low <= 0 && 0 <= high;
  });
  const coverage = inside.filter(Boolean).length / STUDIES;
  show("6 blocks, coverage of BCa", { value: coverage, error: Math.sqrt((coverage * (1 - coverage)) / STUDIES) });
  expect(coverage).toBeLessThan(0.93);
});

it("a true effect of 4.7 points is found with the power that the protocol plans with", () => {
  const question = { effect: 0.047, spread: 0.05, draws: 4000 };
  const [many, few] = [18, 6].map((blocks) => powerOverBlocks({ ...question, blocks }));
  for (const [blocks, power] of [
    [18, many],
    [6, few],
  ] as const) {
    show(`${blocks} blocks, power of sign-flip`, { value: power.signFlip, error: power.error });
    show(`${blocks} blocks, power of t`, { value: power.t, error: power.error });
  }
  expect(many.signFlip).toBeGreaterThan(0.93);
  expect(few.signFlip).toBeGreaterThan(0.29);
  expect(few.t).toBeLessThan(0.58);
});
