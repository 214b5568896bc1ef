/** @file Sums of gradients and images of one length. */

/** a + factor * b. */
export const plus = (a: Float32Array, b: Float32Array, factor = 1): Float32Array => a.map((v, i) => v + factor * b[i]);

/** The mean of vectors. */
export function mean(vectors: readonly Float32Array[]): Float32Array {
  const total = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < total.length; i++) total[i] += vector[i];
  return Float32Array.from(total, (v) => v / vectors.length);
}

/** A vector of mean absolute value 1. Zeros stay zeros. */
export function ofMeanOne(vector: Float32Array): Float32Array {
  const size = vector.reduce((sum, v) => sum + Math.abs(v), 0) / vector.length;
  return size === 0 ? vector : vector.map((v) => v / size);
}
