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

/** Projects a difference onto the L1 ball of a radius and onto the images in [0,1] at once, in
 * place. Two projections, one after the other, give another point. Source: Croce & Hein 2021,
 * "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", proposition 2.1.
 * @param v the difference from the clean image, float32 [m]
 * @param clean float32 [m] in [0,1]
 * @returns v */
export function intoL1BallAndBox(v: Float32Array, clean: Float32Array, radius: number): Float32Array {
  const most = clean.map((c, i) => (v[i] > 0 ? 1 - c : c));
  const threshold = boxedThreshold(v, most, radius);
  for (let i = 0; i < v.length; i++) v[i] = Math.sign(v[i]) * boxed(Math.abs(v[i]) - threshold, most[i]);
  return v;
}

const boxed = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

/** The smallest threshold after which the clipped absolute values sum to at most the radius. The
 * sum falls with the threshold, so each half of the interval tells where the threshold is. */
function boxedThreshold(v: Float32Array, most: Float32Array, radius: number): number {
  const length = (threshold: number): number => {
    let sum = 0;
    for (let i = 0; i < v.length; i++) sum += boxed(Math.abs(v[i]) - threshold, most[i]);
    return sum;
  };
  if (length(0) <= radius) return 0;
  let [low, high] = [0, v.reduce((a, x) => Math.max(a, Math.abs(x)), 0)];
  for (let middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2)
    if (length(middle) > radius) low = middle;
    else high = middle;
  return high;
}
