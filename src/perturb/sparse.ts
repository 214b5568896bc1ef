/** @file Projections onto the balls of L1 and L0. */

/** Projects onto the L1 ball of a radius, in place: soft thresholding. Source: Duchi et al. 2008,
 * "Efficient projections onto the l1-ball for learning in high dimensions", figure 1.
 * @param v float32 [m]
 * @returns v */
export function intoL1Ball(v: Float32Array, radius: number): Float32Array {
  let length = 0;
  for (const x of v) length += Math.abs(x);
  if (length <= radius) return v;
  const threshold = thresholdOf(v, radius);
  for (let i = 0; i < v.length; i++) v[i] = Math.sign(v[i]) * Math.max(0, Math.abs(v[i]) - threshold);
  return v;
}

/** The threshold after which the absolute values sum to the radius. */
function thresholdOf(v: Float32Array, radius: number): number {
  const sorted = Float64Array.from(v, Math.abs).sort().reverse();
  let [sum, threshold] = [0, 0];
  for (let k = 0; k < sorted.length; k++) {
    sum += sorted[k];
    const next = (sum - radius) / (k + 1);
    if (sorted[k] <= next) break;
    threshold = next;
  }
  return Math.max(0, threshold);
}

/** Keeps the largest absolute values and sets the others to 0, in place. Among equal values, the
 * first stay.
 * @param v float32 [m]
 * @param count how many values stay
 * @returns v */
export function keepLargest(v: Float32Array, count: number): Float32Array {
  const order = Array.from(v, (_, i) => i).sort((a, b) => Math.abs(v[b]) - Math.abs(v[a]) || a - b);
  for (const i of order.slice(Math.floor(count))) v[i] = 0;
  return v;
}
