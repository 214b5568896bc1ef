/** @file Counter-based random numbers: each is a pure function of (seed, sample, purpose, step,
 *  index). Results therefore do not depend on batch size, order, workers or a resumed run.
 *  Source: Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */

/** The purposes of random numbers. Streams of different purposes are independent. */
export const PURPOSES = [
  "attack-start",
  "attack-noise",
  "split",
  "shuffle",
  "init",
  "augment",
  "test",
  "dropout",
  "attack-choice",
  "attack-target",
  "resample",
  "gate",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** The key of one stream of random numbers. */
export interface StreamKey {
  /** The seed of the run. */
  readonly seed: number;
  /** Id of the sample or record. */
  readonly sample: number;
  /** What the numbers are for. */
  readonly purpose: Purpose;
  /** Step, epoch or restart. */
  readonly step: number;
}

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of a 32 x 32 bit product. */
function mulHigh(a: number, b: number): number {
  const ah = a >>> 16;
  const al = a & 0xffff;
  const bh = b >>> 16;
  const bl = b & 0xffff;
  const mid = ah * bl + ((al * bl) >>> 16);
  const mid2 = al * bh + (mid & 0xffff);
  return (ah * bh + Math.floor(mid / 65536) + ((mid2 / 65536) >>> 0)) >>> 0;
}

/** Philox4x32-10. It writes four 32-bit words to `out`, from a counter of four words and a key
 * of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  // Single variables: arrays made in this loop would take most of its time.
  let c0 = counter[0];
  let c1 = counter[1];
  let c2 = counter[2];
  let c3 = counter[3];
  let k0 = key[0];
  let k1 = key[1];
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low0 = Math.imul(M0, c0);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = Math.imul(M1, c2) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Fills `out` with 32-bit words of the stream. */
function fillWords(key: StreamKey, out: Uint32Array): void {
  const block = new Uint32Array(4);
  const seedHigh = Math.floor(key.seed / 2 ** 32) >>> 0;
  const purpose = PURPOSES.indexOf(key.purpose);
  const counter: [number, number, number, number] = [0, key.step >>> 0, key.sample >>> 0, purpose];
  const keyWords: [number, number] = [key.seed >>> 0, seedHigh];
  for (let i = 0; i < out.length; i += 4) {
    counter[0] = i >>> 2;
    philox(counter, keyWords, block);
    // Writes beyond the end of a typed array do nothing.
    for (let k = 0; k < 4; k++) out[i + k] = block[k];
  }
}

/** `n` words of 32 random bits each. */
export function words(key: StreamKey, n: number): Uint32Array {
  const out = new Uint32Array(n);
  fillWords(key, out);
  return out;
}

/** `n` uniform numbers in [low, high) with 24 random bits each. They are exact in float32 for
 * [0,1). */
export function uniform(key: StreamKey, n: number, low = 0, high = 1): Float32Array {
  const bits = words(key, n);
  // `Float32Array.from` with a function takes ten times as long as a loop.
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = low + (high - low) * ((bits[i] >>> 8) / 2 ** 24);
  return out;
}

/** `n` standard normal numbers (Box-Muller). */
export function normal(key: StreamKey, n: number): Float32Array {
  const bits = words(key, n + (n & 1));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((bits[i] + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * bits[i + 1]) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
  return out.subarray(0, n);
}

/** A permutation of 0..n-1 (Fisher-Yates). */
export function permutation(key: StreamKey, n: number): Uint32Array {
  const bits = words(key, n);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((bits[i] / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
