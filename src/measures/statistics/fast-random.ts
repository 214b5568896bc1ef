/** @file A fast generator for millions of bootstrap indices. Each draw starts it anew from words of
 *  the counter-based generator, so a draw does not depend on the draws before it. Source:
 *  xoshiro128**, Blackman and Vigna, ACM TOMS 47(4), 2021. */
import { type StreamKey, words } from "../../core/rng.js";

/** Gives whole numbers below a limit, uniformly. */
export class FastRandom {
  private readonly state = new Int32Array(4);

  /** Starts the stream of `key`. */
  start(key: StreamKey): void {
    this.state.set(words(key, 4));
    // The generator stays at 0 when all of its state is 0.
    this.state[0] |= 1;
  }

  /** Fills `out` with whole numbers from 0 to limit - 1.
   * @param limit below 2^24, so that the bias stays below 2^-8 of a number's chance */
  fill(out: Int32Array, limit: number): void {
    // Single variables: fields and array elements would take most of the time.
    let [a, b, c, d] = this.state;
    const scale = limit / 2 ** 32;
    for (let i = 0; i < out.length; i++) {
      const scrambled = Math.imul(b, 5);
      const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      out[i] = result * scale;
    }
    this.state.set([a, b, c, d]);
  }
}
