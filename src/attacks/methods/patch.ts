/** @file One square patch for all images: its pixels take any value, and all others stay. The
 *  radius in L0 is the number of values that the patch may have. Sources: Brown et al. 2017,
 *  "Adversarial patch"; Navaneet et al. 2024, SlowFormer, with 8 % of the area and the goal
 *  slowdown. */

import { DynnError } from "../../core/errors.js";
import type { ImageDims } from "../../core/images.js";
import { uniform } from "../../core/rng.js";
import { counted } from "../../core/units.js";
import { amount, count, type Values } from "../parameters.js";
import type { FoundImage, Search } from "../question.js";
import { method, type Task } from "./method.js";
import { type Change, FIT, fitTo, judged, keyOfSet, toFit } from "./universal.js";

const parameters = {
  ...FIT,
  stepSize: amount(0.05, "length of a step of each value of the patch", { most: 1 }),
  area: amount(0.08, "share of the area that the patch may have, without a radius", { most: 1 }),
  top: count(0, "first row of the patch, from 0", { least: 0 }),
  left: count(0, "first column of the patch, from 0", { least: 0 }),
};

type Options = Values<typeof parameters>;

function* attack(tasks: readonly Task[], options: Options): Search<readonly FoundImage[]> {
  const [{ sample, dims, budget }] = tasks;
  const inside = maskOf(dims, budget.radius ?? options.area * sample.pixels.length, options);
  const values = uniform(keyOfSet(tasks, 0, "attack-start", 0), sample.pixels.length);
  const change: Change = {
    apply: (pixels) => pixels.map((pixel, i) => (inside(i) ? values[i] : pixel)),
    moves: (_, i) => inside(i),
    step: (gradient) => {
      for (let i = 0; i < values.length; i++)
        values[i] = Math.min(Math.max(values[i] + options.stepSize * Math.sign(gradient[i]), 0), 1);
    },
  };
  yield* fitTo(toFit(tasks, options.fit), 0, options, change);
  return yield* judged(tasks, change);
}

/** Whether a value belongs to the largest square that has no more values than the radius.
 * @throws DynnError 'attack/config' when the square is empty or leaves the image */
function maskOf([channels, height, width]: ImageDims, radius: number, { top, left }: Options): (i: number) => boolean {
  const side = Math.floor(Math.sqrt(radius / channels));
  if (side < 1 || top + side > height || left + side > width)
    throw new DynnError(
      "attack/config",
      `patch: a square of ${side} x ${counted(side, "pixel")} at row ${top}, column ${left} does not fit into ${height} x ${width}. Change "area", or the radius, which is the number of values of the patch, or "top" and "left".`,
      { side, top, left, height, width },
    );
  return (i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    return row >= top && row < top + side && column >= left && column < left + side;
  };
}

export const patch = method({
  about: "one square patch for all images, whose values take any value; the radius in L0 is their number",
  source: "Brown et al. 2017; Navaneet et al. 2024, SlowFormer",
  access: "gradient",
  scope: "set",
  budget: "closest",
  norms: ["l0"],
  targeted: true,
  losses: ["cross-entropy", "margin", "scaled-cross-entropy"],
  parameters,
  start: (tasks: readonly Task[], options: Options) => attack(tasks, options),
});
