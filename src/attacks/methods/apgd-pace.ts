/** @file How Auto-PGD moves, and when it shortens its steps, in each norm. Sources: Croce & Hein
 *  2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
 *  parameter-free attacks", section 3 (Linf, L2); Croce & Hein 2021, "Mind the box", section 3
 *  (L1). The numbers are those of the authors' code. */

import { NORMS } from "../../perturb/norms.js";
import type { Norm } from "../../schema/norm.js";
import { inBall } from "./border.js";

/** An image with its loss and its gradient. */
export interface Point {
  readonly image: Float32Array;
  readonly gradient: Float32Array;
  readonly loss: number;
}

/** The lengths of the steps of one run. */
export interface Pace {
  /** The next image.
   * @param before the image before this one */
  readonly move: (here: Point, before: Float32Array) => Float32Array;
  /** Takes note of a step. Returns whether the run goes on from the image of the largest loss. */
  readonly goesBack: (here: Point, top: Point) => boolean;
}

/** What a pace depends on. */
export interface Course {
  readonly norm: Norm;
  readonly radius: number;
  readonly clean: Float32Array;
  /** Steps of the run. */
  readonly steps: number;
  /** Share of rising steps below which the step is halved. */
  readonly rho: number;
  /** Whether the start is noise. Its number of changed values then says nothing about the steps. */
  readonly fromNoise: boolean;
}

export const paceOf = (course: Course, start: Point): Pace =>
  course.norm === "l1" ? new SparsePace(course, start) : new HalvingPace(course, start);

/** Share of the new step against the step before. */
const MOMENTUM = 0.75;

/** Steps with momentum, for Linf and L2. The length starts at twice the radius. It is halved at a
 * checkpoint when too few steps raised the loss, or when neither the length nor the best loss has
 * changed since the last one. */
class HalvingPace implements Pace {
  readonly #course: Course;
  readonly #losses: number[];
  #length: number;
  #interval: number;
  #since = 0;
  #first = true;
  #halved = true;
  #topLoss: number;

  constructor(course: Course, start: Point) {
    this.#course = course;
    this.#length = 2 * course.radius;
    this.#interval = Math.max(Math.floor(0.22 * course.steps), 1);
    this.#losses = [start.loss];
    this.#topLoss = start.loss;
  }

  move({ image, gradient }: Point, before: Float32Array): Float32Array {
    const { norm, radius, clean } = this.#course;
    const moved = Float32Array.from(image);
    NORMS[norm].step(moved, gradient, this.#length);
    NORMS[norm].project(moved, clean, radius);
    if (!this.#first) {
      for (let i = 0; i < moved.length; i++)
        moved[i] = image[i] + MOMENTUM * (moved[i] - image[i]) + (1 - MOMENTUM) * (image[i] - before[i]);
      NORMS[norm].project(moved, clean, radius);
    }
    this.#first = false;
    return moved;
  }

  goesBack(here: Point, top: Point): boolean {
    this.#losses.push(here.loss);
    if (++this.#since < this.#interval) return false;
    const halves = this.#oscillates() || (!this.#halved && this.#topLoss >= top.loss);
    if (halves) this.#length /= 2;
    this.#halved = halves;
    this.#topLoss = top.loss;
    this.#since = 0;
    const { steps } = this.#course;
    const shorter = this.#interval - Math.max(Math.floor(0.03 * steps), 1);
    this.#interval = Math.max(shorter, Math.floor(0.06 * steps), 1);
    return halves;
  }

  #oscillates(): boolean {
    const recent = this.#losses.slice(-this.#interval - 1);
    const rises = recent.filter((loss, i) => i > 0 && loss > recent[i - 1]).length;
    return rises <= this.#course.rho * this.#interval;
  }
}

/** The share of the values that the first steps from noise move, in L1. */
const FIRST_SHARE = 0.2;

/** Steps along the signs of the largest gradient values, for L1. Their number follows the number of
 * changed values of the best image. */
class SparsePace implements Pace {
  readonly #course: Course;
  readonly #interval: number;
  #length: number;
  /** Changed values of the best image at the last checkpoint. */
  #changed: number;
  /** How many values a step moves. */
  #moving: number;
  #since = 0;

  constructor(course: Course, { image }: Point) {
    this.#course = course;
    this.#interval = Math.max(Math.floor(0.04 * course.steps), 1);
    this.#length = course.radius;
    const { clean, fromNoise } = course;
    this.#changed = fromNoise ? clean.length : NORMS.l0.distance(image, clean);
    this.#moving = fromNoise ? FIRST_SHARE * clean.length : this.#changed / 1.5;
  }

  move({ image, gradient }: Point): Float32Array {
    const { clean, radius } = this.#course;
    const sizes = Float32Array.from(gradient, Math.abs);
    const least = nthFromTop(sizes, this.#moving);
    const moving = sizes.reduce((count, size) => count + (size >= least && size > 0 ? 1 : 0), 0);
    const each = this.#length / Math.max(moving, 1);
    const difference = image.map((v, i) => v - clean[i] + (sizes[i] >= least ? each * Math.sign(gradient[i]) : 0));
    return inBall(difference, clean, radius);
  }

  goesBack(_: Point, { image }: Point): boolean {
    if (++this.#since < this.#interval) return false;
    this.#since = 0;
    const { clean, radius } = this.#course;
    const changed = NORMS.l0.distance(image, clean);
    const sparser = changed / this.#changed < 0.95;
    this.#length = sparser ? radius : Math.max(this.#length / 1.5, radius / 10);
    this.#changed = changed;
    this.#moving = changed / 1.5;
    return sparser;
  }
}

/** The value that about `count` values are not below. */
function nthFromTop(values: Float32Array, count: number): number {
  const at = Math.floor(values.length - count);
  return Float32Array.from(values).sort()[Math.min(Math.max(at, 0), values.length - 1)];
}
