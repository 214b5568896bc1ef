/** @file Simulated studies with a known truth. A block's true difference of two success rates is the
 *  world's effect plus the spread between seeds. Its samples are drawn in pairs. */
import { normal, uniform } from "../../src/core/rng.js";
import { type Claim, claimsPlanSchema, type Verdict } from "../../src/schema/study/claims.js";
import { type BlockTable, judgeClaims } from "../../src/studies/study/claims/index.js";

export interface World {
  readonly blocks: number;
  /** True mean difference over all networks. */
  readonly effect: number;
  /** Standard deviation of a block's true difference. 5 points by default. */
  readonly spread?: number;
  /** Samples per block. 120 by default. */
  readonly samples?: number;
  /** The true differences are skewed: an exponential distribution of the same mean and spread. */
  readonly skewed?: boolean;
}

/** Share of samples on which both conditions go by the same difficulty. */
const PAIRED = 0.7;

/** The random numbers of each block, drawn once: worlds of one seed differ in their effect and number of blocks alone. */
const drawn = new Map<string, Float32Array>();
function drawnOf(seed: number, block: number, count: number): Float32Array {
  const key = `${seed} ${block} ${count}`;
  const numbers = drawn.get(key) ?? uniform({ seed, sample: 2 + block, purpose: "test", step: 0 }, count);
  drawn.set(key, numbers);
  return numbers;
}

/** The tables of one study: blocks of six cells, with columns "a" and "b" of 0 and 1. */
export function drawBlocks(world: World, seed: number): BlockTable[] {
  const { blocks, effect, spread = 0.05, samples = 120, skewed = false } = world;
  const shifts = normal({ seed, sample: 0, purpose: "test", step: 0 }, blocks);
  const chances = uniform({ seed, sample: 1, purpose: "test", step: 0 }, blocks);
  return Array.from(shifts, (shift, i) => {
    const difference = effect + spread * (skewed ? -Math.log(1 - chances[i]) - 1 : shift);
    const u = drawnOf(seed, i, 3 * samples);
    const [a, b] = [new Uint8Array(samples), new Uint8Array(samples)];
    for (let k = 0; k < samples; k++) {
      a[k] = Number(u[3 * k] < 0.5 + difference / 2);
      b[k] = Number((u[3 * k + 2] < PAIRED ? u[3 * k] : u[3 * k + 1]) < 0.5 - difference / 2);
    }
    return { id: `block ${i}`, cell: `cell ${i % 6}`, columns: { a, b } };
  });
}

/** Tables of y on x and z. Level and both slopes differ between blocks; the mean slope on x is 0.5. */
export function drawSlopes(blocks: number, seed: number): BlockTable[] {
  return Array.from({ length: blocks }, (_, i) => {
    const [level, slopeX, slopeZ, ...noise] = normal({ seed, sample: i, purpose: "test", step: 1 }, 3 + 3 * 24);
    const x = Array.from({ length: 24 }, (__, row) => 0.3 * (row % 4) + 0.2 * noise[row]);
    const z = Array.from({ length: 24 }, (__, row) => Math.floor(row / 4) / 6 + 0.1 * noise[24 + row]);
    const at = (row: number): number => (0.5 + 0.3 * slopeX) * x[row] + (0.2 * slopeZ - 0.4) * z[row];
    const y = x.map((__, row) => 0.3 * level + at(row) + 0.3 * noise[48 + row]);
    return { id: `block ${i}`, cell: `cell ${i % 6}`, columns: { x, y, z } };
  });
}

/** One claim per entry: "a" succeeds more often than "b" by at least 3 points. */
export const planOf = (claims: readonly Partial<Claim>[]) =>
  claimsPlanSchema.parse({
    draws: 1,
    powerDraws: 1,
    claims: claims.map((claim, i) => ({
      id: `claim ${i}`,
      title: "a above b",
      endpoints: [
        {
          name: "difference",
          estimate: { kind: "difference", of: "a", minus: "b" },
          direction: "greater",
          smallest: 0.03,
        },
      ],
      ...claim,
    })),
  });

/** The verdicts on `studies` simulated studies of one claim. */
export function verdictsIn(world: World, studies: number, claim: Partial<Claim> = {}): Verdict[] {
  const plan = planOf([claim]);
  return Array.from(
    { length: studies },
    (_, seed) => judgeClaims(plan, { "claim 0": { blocks: drawBlocks(world, seed) } })[0],
  );
}

/** Share of the verdicts that `counts` counts, with its standard error. */
export function shareOf(verdicts: readonly Verdict[], counts: (verdict: Verdict) => boolean) {
  const value = verdicts.filter(counts).length / verdicts.length;
  return { value, error: Math.sqrt((value * (1 - value)) / verdicts.length) };
}
