/** @file Projections onto a hyperplane, onto the L1 ball and into [0,1], against a search over a fine grid of three
 *  pixels. */
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { ontoHyperplane } from "../../src/perturb/hyperplane.js";
import { NORMS } from "../../src/perturb/norms.js";
import { intoL1BallAndBox } from "../../src/perturb/sparse.js";

const draw = (sample: number, step: number, low: number, high: number): Float32Array =>
  uniform({ seed: 5, sample, purpose: "test", step }, 3, low, high);

const GRID = Array.from({ length: 201 }, (_, i) => i / 200);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const plus = (a: Float32Array, step: ArrayLike<number>): number[] => Array.from(a, (v, i) => v + step[i]);
const zeros = new Float32Array(3);

/** The smallest distance of a point of [0,1] on the hyperplane: two pixels from the grid, the third from the equation. */
function nearestByGrid(w: Float32Array, image: Float32Array, gap: number, norm: "linf" | "l2" | "l1"): number {
  let least = Number.POSITIVE_INFINITY;
  for (const a of GRID)
    for (const b of GRID) {
      const c = image[2] + (gap - w[0] * (a - image[0]) - w[1] * (b - image[1])) / w[2];
      if (c < 0 || c > 1) continue;
      least = Math.min(least, NORMS[norm].distance(Float32Array.of(a, b, c), image));
    }
  return least;
}

describe.each(["linf", "l2", "l1"] as const)("the closest point of a hyperplane in %s", (norm) => {
  test.each(Array.from({ length: 12 }, (_, i) => i))("is as near as the grid finds: case %d", (i) => {
    const [w, image] = [draw(i, 0, -1, 1), draw(i, 1, 0.05, 0.95)];
    w[2] = Math.sign(w[2]) * Math.max(Math.abs(w[2]), 0.3);
    const goal = draw(i, 2, 0, 1);
    const gap = dot(w, goal) - dot(w, image);
    const step = ontoHyperplane(w, image, gap, norm);
    const moved = plus(image, step);
    expect(dot(w, step)).toBeCloseTo(gap, 6);
    for (const v of moved) {
      expect(v).toBeGreaterThanOrEqual(-1e-7);
      expect(v).toBeLessThanOrEqual(1 + 1e-7);
    }
    const distance = NORMS[norm].distance(Float32Array.from(step), zeros);
    const found = nearestByGrid(w, image, gap, norm);
    expect(distance).toBeLessThanOrEqual(found + 1e-6);
    expect(distance).toBeGreaterThan(found - 0.02);
  });

  test("is as far as all pixels can go when no image reaches the hyperplane", () => {
    const step = ontoHyperplane(Float32Array.of(1, -2, 0), Float32Array.of(0.25, 0.75, 0.5), 9, norm);
    expect(Array.from(step)).toEqual([0.75, -0.75, 0]);
  });
});

describe("the projection onto the L1 ball and into [0,1] at once", () => {
  test.each(Array.from({ length: 12 }, (_, i) => i))("is the nearest point of both: case %d", (i) => {
    const [clean, v] = [draw(i, 3, 0, 1), draw(i, 4, -1.5, 1.5)];
    const radius = 0.1 + 0.1 * i;
    const found = intoL1BallAndBox(Float32Array.from(v), clean, radius);
    expect(found.reduce((sum, x) => sum + Math.abs(x), 0)).toBeLessThanOrEqual(radius + 1e-6);
    const far = (difference: ArrayLike<number>): number =>
      Math.hypot(difference[0] - v[0], difference[1] - v[1], difference[2] - v[2]);
    let least = Number.POSITIVE_INFINITY;
    for (const a of GRID)
      for (const b of GRID)
        for (const c of [-1, 1]) {
          const [da, db] = [a - clean[0], b - clean[1]];
          const room = radius - Math.abs(da) - Math.abs(db);
          if (room < 0) continue;
          // The third pixel is as near to its wish as the ball and [0,1] allow.
          const most = Math.min(room, c > 0 ? 1 - clean[2] : clean[2]);
          const dc = c * Math.min(Math.max(c * v[2], 0), most);
          least = Math.min(least, far([da, db, dc]));
        }
    expect(far(found)).toBeLessThanOrEqual(least + 1e-6);
    expect(far(found)).toBeGreaterThan(least - 0.02);
  });
});
