/** @file Choices of the fuzzer: a function of (seed, case, edit), so that a case can be made again alone, and an edit left out without
 *  changing what the others draw. */
import { uniform } from "../../src/core/rng.js";

const CHUNK = 64;

/** Integers at which readers break: around powers of two, signs, and the ends of int32, float64's whole numbers and int64. */
export const INTERESTING_INTS: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, 3n, -2n, 5n, 7n, 8n, 9n, 16n, 63n, 64n, 65n, 127n, 128n, 255n, 1000n, 4096n, 65_535n, 65_536n],
  ...[1n << 20n, 1n << 22n, 1n << 24n, 1n << 28n, (1n << 31n) - 1n, 1n << 31n, -(1n << 31n), 1n << 32n, 1n << 40n],
  ...[(1n << 53n) - 1n, 1n << 53n, (1n << 53n) + 1n, 1n << 62n, (1n << 63n) - 1n, -(1n << 63n), 1n - (1n << 63n)],
];

export const INTERESTING_FLOATS: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, 2, 3, 1e-3, 1e3, 1e6, 1e9, 1e-30, 1e30, 3.4e38],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

export class Dice {
  readonly #stream: { readonly seed: number; readonly sample: number };
  #step: number;
  #chunk: Float32Array = new Float32Array();
  #at = CHUNK;

  /** @param edit each edit of a case draws from a stream of its own */
  constructor(seed: number, index: number, edit: number) {
    this.#stream = { seed, sample: index };
    this.#step = edit * 1_000_000;
  }

  /** A number in [0, 1). */
  unit(): number {
    if (this.#at === CHUNK) {
      this.#chunk = uniform({ ...this.#stream, purpose: "test", step: this.#step++ }, CHUNK);
      this.#at = 0;
    }
    return this.#chunk[this.#at++];
  }

  /** A whole number in [0, n); 0 when n is 0. */
  below(n: number): number {
    return Math.min(Math.max(0, n - 1), Math.floor(this.unit() * n));
  }

  chance(p: number): boolean {
    return this.unit() < p;
  }

  /** An element, or undefined of an empty list. */
  maybe<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  /** An element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  int(): bigint {
    return this.chance(0.3) ? BigInt(this.below(12)) : this.pick(INTERESTING_INTS);
  }

  float(): number {
    return this.pick(INTERESTING_FLOATS);
  }
}
