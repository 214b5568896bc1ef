/** @file The closest point of [0,1] on a hyperplane, in Linf, L2 and L1. Source: Croce & Hein 2020,
 *  "Minimally distorted adversarial examples with a fast adaptive boundary attack", section 2. */

/** The step from an image to the closest image in [0,1] on the hyperplane w.(x + step) = level. All
 * pixels go as far as they can when no such image exists.
 * @param w float32 [m], the normal of the hyperplane
 * @param image float32 [m] in [0,1]
 * @param gap level - w.x, the rise of w.x that the step needs
 * @returns float64 [m] */
export function ontoHyperplane(
  w: Float32Array,
  image: Float32Array,
  gap: number,
  norm: "linf" | "l2" | "l1",
): Float64Array {
  const sign = gap < 0 ? -1 : 1;
  // Loops: `from` and `map` with a function take several times as long.
  const [weights, rooms] = [new Float64Array(w.length), new Float64Array(w.length)];
  for (let i = 0; i < w.length; i++) {
    weights[i] = Math.abs(w[i]);
    rooms[i] = w[i] === 0 ? 0 : sign * w[i] > 0 ? 1 - image[i] : image[i];
  }
  const moves = norm === "l1" ? greedy(weights, rooms, Math.abs(gap)) : paced(weights, rooms, Math.abs(gap), norm);
  for (let i = 0; i < w.length; i++) moves[i] *= sign * Math.sign(w[i]);
  return moves;
}

/** Moves min(pace * time, room), with one time for all pixels. The pace is 1 in Linf, and the
 * weight in L2. The rise is a concave function of the time, in straight lines. So Newton's method
 * from 0 reaches the time in few steps, and never goes beyond it. */
function paced(weights: Float64Array, rooms: Float64Array, gap: number, norm: "linf" | "l2"): Float64Array {
  const paces = norm === "linf" ? new Float64Array(weights.length).fill(1) : weights;
  let time = 0;
  for (let round = 0; round < weights.length + 2; round++) {
    let [rise, slope] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const move = paces[i] * time;
      if (move < rooms[i]) slope += weights[i] * paces[i];
      rise += weights[i] * Math.min(move, rooms[i]);
    }
    if (slope === 0) return rooms;
    const next = time + (gap - rise) / slope;
    if (!(next > time)) break;
    time = next;
  }
  for (let i = 0; i < rooms.length; i++) rooms[i] = Math.min(paces[i] * time, rooms[i]);
  return rooms;
}

/** The pixels of the largest weights move first, each as far as it can. */
function greedy(weights: Float64Array, rooms: Float64Array, gap: number): Float64Array {
  const moves = new Float64Array(weights.length);
  let left = gap;
  for (const i of [...weights.keys()].sort((a, b) => weights[b] - weights[a])) {
    if (!(left > 0 && weights[i] > 0)) break;
    moves[i] = Math.min(rooms[i], left / weights[i]);
    left -= moves[i] * weights[i];
  }
  return moves;
}
