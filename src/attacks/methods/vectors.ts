/** @file Sums of gradients and images of one length. */

/** a + factor * b. */
export function plus(a: Float32Array, b: Float32Array, factor = 1): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] + factor * b[i];
  return out;
}

/** The mean of vectors. */
export function mean(vectors: readonly Float32Array[]): Float32Array {
  const total = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < total.length; i++) total[i] += vector[i];
  const out = new Float32Array(total.length);
  for (let i = 0; i < out.length; i++) out[i] = total[i] / vectors.length;
  return out;
}

/** A vector of mean absolute value 1. Zeros stay zeros. */
export function ofMeanOne(vector: Float32Array): Float32Array {
  const size = vector.reduce((sum, v) => sum + Math.abs(v), 0) / vector.length;
  return size === 0 ? vector : vector.map((v) => v / size);
}
