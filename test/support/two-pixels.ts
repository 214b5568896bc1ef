/** @file Networks of two pixels whose worst image in a ball a grid finds, and their routed answers from the definition. */
import type { Victim } from "../../src/attacks/goals/victim.js";
import type { Sample } from "../../src/attacks/sample.js";
import { type LinearExit, linearExits, linearSample, logitsAt } from "./attack.js";
import { victimOf } from "./models.js";

const THRESHOLD = 0.7;

/** Weights around the grey image, where all logits of an exit are 0. */
const around = (weights: readonly (readonly [number, number])[], bias = weights.map(() => 0)): LinearExit => ({
  weights,
  bias: weights.map(([a, b], k) => bias[k] - 0.5 * (a + b)),
});

/** Three exits. Some images are wrong only where the first exit has just fallen silent. */
export const THREE_EXITS: readonly LinearExit[] = [
  around([[14, 1], [4, -4], [12, -5], [0, 0]]), // biome-ignore format: a matrix
  around([[3, -1], [-3, -10], [6, 6], [0, -9]]), // biome-ignore format: a matrix
  around([[8, -5], [1, 4], [-1, -1], [-1, -6]]), // biome-ignore format: a matrix
];

/** Two exits. The first fires wrongly in a wedge to the right, and the loss of the final exit leads up, past it. */
export const WEDGE: readonly LinearExit[] = [
  around([[0, 0], [40, 0], [0, 150], [0, 150], [0, -150], [0, -150]]), // biome-ignore format: a matrix
  around([[0, 0], [0, 30], [0, 0], [0, 0], [0, 0], [0, 0]], [6, 1, 0, 0, 0, 0]), // biome-ignore format: a matrix
];

export const victimFor = (exits: readonly LinearExit[]): Victim => victimOf(linearExits(exits), THRESHOLD);

/** Where an image stops, and its label. */
export function routedAt(exits: readonly LinearExit[], image: ArrayLike<number>): { stop: number; label: number } {
  const rows = logitsAt(exits, image);
  const surest = rows.map((row) => 1 / row.reduce((sum, z) => sum + Math.exp(z - Math.max(...row)), 0));
  const fires = surest.slice(0, -1).findIndex((p) => p >= THRESHOLD);
  const stop = fires < 0 ? rows.length - 1 : fires;
  return { stop, label: rows[stop].indexOf(Math.max(...rows[stop])) };
}

/** A sample that the routed network gets right. */
export const rightSample = (exits: readonly LinearExit[], pixels: readonly number[], id: number): Sample =>
  linearSample(exits, pixels, { id, label: routedAt(exits, Float32Array.from(pixels)).label });

/** Samples on a square lattice of images, with numbers from `first` on. */
export const lattice = (exits: readonly LinearExit[], side: number, first = 0): Sample[] =>
  Array.from({ length: side * side }, (_, k) => {
    const place = (at: number) => 0.05 + (0.9 * at) / (side - 1);
    return rightSample(exits, [place(Math.floor(k / side)), place(k % side)], first + k);
  });

/** Half the steps of a side of the grid. */
const STEPS = 60;

/** What a grid over the ball finds. */
export interface Worst {
  /** Share of the ball where the routed answer is wrong. */
  readonly wrong: number;
  /** The latest stop in the ball. */
  readonly stop: number;
  /** Share of the ball that stops there. */
  readonly share: number;
}

export function worstInBall(
  exits: readonly LinearExit[],
  { pixels, label }: Sample,
  norm: "linf" | "l2",
  radius: number,
): Worst {
  const stops = exits.map(() => 0);
  let [all, wrong] = [0, 0];
  for (let i = -STEPS; i <= STEPS; i++)
    for (let j = -STEPS; j <= STEPS; j++) {
      const image = [pixels[0] + (i / STEPS) * radius, pixels[1] + (j / STEPS) * radius];
      if (norm === "l2" && Math.hypot(i, j) > STEPS) continue;
      if (image.some((v) => v < 0 || v > 1)) continue;
      const answer = routedAt(exits, image);
      all++;
      if (answer.label !== label) wrong++;
      stops[answer.stop]++;
    }
  const stop = stops.findLastIndex((count) => count > 0);
  return { wrong: wrong / all, stop, share: stops[stop] / all };
}
