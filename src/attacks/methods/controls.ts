/** @file Controls: changes that follow no gradient and no score. A result without a control beside
 *  it says little. Each candidate is one question, and the first success is the result. */

import { normal, type StreamKey, uniform } from "../../core/rng.js";
import { NORMS } from "../../perturb/norms.js";
import { gaussian, smooth } from "../../perturb/smooth.js";
import { rotateAndTranslate } from "../../perturb/warp.js";
import type { Norm } from "../../schema/norm.js";
import { amount, count, type Parameters, type Values } from "../parameters.js";
import type { QuerySearch } from "../question.js";
import { keyOf, type MethodDef, method, type QueryTask } from "./method.js";

/** Asks about candidates in their order. Those outside the ball are left out. */
function* firstSuccess(task: QueryTask, candidates: Iterable<Float32Array>): QuerySearch<"label"> {
  const { sample, budget } = task;
  let last = sample.pixels;
  for (const candidate of candidates) {
    const image = candidate.map((v) => Math.min(Math.max(v, 0), 1));
    if (budget.radius !== undefined && NORMS[budget.norm].distance(image, sample.pixels) > budget.radius + SLACK)
      continue;
    const [{ success }] = yield [{ image }];
    if (success) return { image, success };
    last = image;
  }
  return { image: last, success: false };
}

/** Sums of float32 values differ by this much from the radius. */
const SLACK = 1e-6;

interface Control<P extends Parameters> extends Pick<MethodDef<P>, "about" | "source" | "norms" | "parameters"> {
  readonly candidates: (task: QueryTask, values: Values<P>) => Iterable<Float32Array>;
}

const control =
  (budget: "radius" | "closest") =>
  <P extends Parameters>({ candidates, ...facts }: Control<P>): MethodDef =>
    method<P>({
      access: "label",
      scope: "sample",
      control: true,
      budget,
      targeted: true,
      losses: [],
      ...facts,
      start: (task, values) => firstSuccess(task, candidates(task, values)),
    });

/** Random noise of the norm and the radius of an attack. */
const noise = (
  about: string,
  norms: readonly Norm[],
  draw: (task: QueryTask, radius: number, key: StreamKey) => Float32Array,
): MethodDef =>
  control("radius")({
    about,
    source: "a control",
    norms,
    parameters: { tries: count(1, "images that are tried") },
    *candidates(task, { tries }) {
      for (let k = 0; k < tries; k++) yield draw(task, task.budget.radius ?? 0, keyOf(task, "attack-start", k));
    },
  });

/** The clean image after a step of the norm along a direction. */
function moved({ sample, budget }: QueryTask, direction: Float32Array, radius: number): Float32Array {
  const image = Float32Array.from(sample.pixels);
  NORMS[budget.norm].step(image, direction, radius);
  NORMS[budget.norm].project(image, sample.pixels, radius);
  return image;
}

export const signNoise = noise(
  "noise of random signs, as large as the radius allows",
  ["linf", "l2", "l1"],
  (task, radius, key) => moved(task, normal(key, task.sample.pixels.length).map(Math.sign), radius),
);

export const uniformNoise = noise("a random point of the ball", ["linf", "l2", "l1"], (task, radius, key) =>
  NORMS[task.budget.norm].start(task.sample.pixels, radius, key),
);

export const gaussianNoise = noise("normal noise of the length of the radius", ["l2", "l1"], (task, radius, key) =>
  moved(task, normal(key, task.sample.pixels.length), radius),
);

/** Shares from 1 / steps to 1. */
function* rising(steps: number): Generator<number> {
  for (let k = 1; k <= steps; k++) yield k / steps;
}

const ANY: readonly Norm[] = ["l2", "linf", "l1", "l0"];

export const saltAndPepper = control("closest")({
  about: "ever more pixels black or white, the same in all channels",
  source: "a control; Foolbox's SaltAndPepperNoiseAttack",
  norms: ANY,
  parameters: { steps: count(100, "shares that are tried, from 1 / steps to 1") },
  *candidates(task, { steps }) {
    const [, height, width] = task.dims;
    const draws = uniform(keyOf(task, "attack-start", 0), height * width);
    for (const share of rising(steps))
      yield task.sample.pixels.map((p, i) => {
        const u = draws[i % (height * width)];
        if (u < share / 2) return 0;
        return u >= 1 - share / 2 ? 1 : p;
      });
  },
});

export const gaussianBlur = control("closest")({
  about: "the image ever more blurred",
  source: "a control; Foolbox's GaussianBlurAttack",
  norms: ANY,
  parameters: {
    steps: count(100, "blurs that are tried"),
    widest: amount(1, "largest standard deviation, as a share of the longer side"),
  },
  *candidates({ sample, dims }, { steps, widest }) {
    for (const share of rising(steps)) {
      const sigma = share * widest * Math.max(dims[1], dims[2]);
      yield smooth(sample.pixels, dims, gaussian(Math.round(4 * sigma), sigma), "mirror");
    }
  },
});

export const contrast = control("closest")({
  about: "the image with ever less contrast",
  source: "a control; Foolbox's contrast attacks",
  norms: ANY,
  parameters: {
    steps: count(100, "contrasts that are tried"),
    grey: amount(0.5, "the value that every pixel approaches", { most: 1 }),
  },
  *candidates({ sample }, { steps, grey }) {
    for (const share of rising(steps)) yield sample.pixels.map((p) => p + share * (grey - p));
  },
});

/** Numbers from -most to most. One number is 0. */
const grid = (most: number, points: number): number[] =>
  Array.from({ length: points }, (_, i) => (points === 1 ? 0 : most * ((2 * i) / (points - 1) - 1)));

export const rotateTranslate = control("closest")({
  about: "the image rotated and translated, over a grid, on black",
  source: "Engstrom et al. 2019",
  norms: ANY,
  parameters: {
    degrees: amount(30, "largest angle, in degrees", { most: 180 }),
    pixels: amount(3, "largest translation, in pixels"),
    angles: count(5, "angles of the grid"),
    shifts: count(5, "translations of the grid along each axis"),
  },
  *candidates({ sample, dims }, { degrees, pixels, angles, shifts }) {
    for (const angle of grid(degrees, angles))
      for (const right of grid(pixels, shifts))
        for (const down of grid(pixels, shifts))
          yield rotateAndTranslate(dims, angle, [down, right]).apply(sample.pixels);
  },
});
