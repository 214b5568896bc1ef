/** @file The proposals of Square Attack: where they begin, and how one square changes an image, in
 *  Linf, L2 and L1. Sources: Andriushchenko et al. 2020, "Square Attack", algorithms 2 and 3;
 *  Croce & Hein 2021, "Mind the box", section 4 (L1). */

import type { ImageDims } from "../../core/images.js";
import { inBall } from "./border.js";

/** Draws the next random number in [0,1). */
type Draw = () => number;

/** The image to change, and the limits. */
export interface SquareBoard {
  readonly norm: "linf" | "l2" | "l1";
  readonly radius: number;
  readonly dims: ImageDims;
  readonly clean: Float32Array;
}

const signOf = (draw: Draw): number => (draw() < 0.5 ? -1 : 1);
const clamp01 = (v: number): number => Math.min(Math.max(v, 0), 1);

/** The image of the first query: vertical stripes in Linf, and a grid of five by five bumps. */
export function firstImage(board: SquareBoard, draw: Draw): Float32Array {
  const { dims, norm } = board;
  const [channels, height, width] = dims;
  if (norm === "linf") {
    const signs = Array.from({ length: channels * width }, () => signOf(draw));
    const signAt = (i: number): number => signs[Math.floor(i / (height * width)) * width + (i % width)];
    return board.clean.map((v, i) => clamp01(v + board.radius * signAt(i)));
  }
  const delta = new Float32Array(board.clean.length);
  const side = Math.max(Math.floor(height / 5), 1);
  const offset = Math.floor((height - side * Math.min(5, height)) / 2);
  for (let top = offset; top + side <= height; top += side)
    for (let left = offset; left + side <= width; left += side) {
      const bump = bumpOf(side, norm, draw);
      for (let c = 0; c < channels; c++) {
        const sign = signOf(draw);
        indices({ top, left, side }, dims, c).forEach((at, k) => {
          delta[at] = sign * bump[k];
        });
      }
    }
  return imageAt(board, delta);
}

/** An image that differs from the best one in one square, or, in L2 and L1, in two.
 * @param share the square's share of the area */
export function nextImage(board: SquareBoard, best: Float32Array, share: number, draw: Draw): Float32Array {
  const [channels, height, width] = board.dims;
  const side = sideOf(share, board);
  const place = () => ({
    top: Math.floor(draw() * (height - side + 1)),
    left: Math.floor(draw() * (width - side + 1)),
    side,
  });
  const to = place();
  if (board.norm !== "linf") return imageAt(board, moved(board, best, to, place(), draw));
  const image = best.slice();
  for (let c = 0; c < channels; c++) paint(board, image, to, c, board.radius * signOf(draw));
  return image;
}

/** Moves the values of a square in one channel by a step from the clean image. */
function paint({ clean, dims }: SquareBoard, image: Float32Array, square: Square, channel: number, step: number): void {
  const [, height, width] = dims;
  for (let row = 0; row < square.side; row++) {
    const from = (channel * height + square.top + row) * width + square.left;
    for (let at = from; at < from + square.side; at++) image[at] = clamp01(clean[at] + step);
  }
}

function sideOf(share: number, { norm, dims: [, height, width] }: SquareBoard): number {
  const side = Math.round(Math.sqrt(share * height * width));
  const odd = Math.max(side, 3) + (Math.max(side, 3) % 2 === 0 ? 1 : 0);
  return Math.min(norm === "linf" ? Math.max(side, 1) : odd, height, width);
}

interface Square {
  readonly top: number;
  readonly left: number;
  readonly side: number;
}

/** Places of the values of a square in one channel, row by row. */
const indices = ({ top, left, side }: Square, [, height, width]: ImageDims, channel: number): number[] =>
  Array.from(
    { length: side * side },
    (_, k) => (channel * height + top + Math.floor(k / side)) * width + left + (k % side),
  );

/** The difference after one square has taken over the size of another, and what the ball has
 * left. */
function moved(board: SquareBoard, best: Float32Array, to: Square, from: Square, draw: Draw): Float32Array {
  const { norm, radius, dims, clean } = board;
  const [channels] = dims;
  const delta = best.map((v, i) => v - clean[i]);
  const bump = bumpOf(to.side, norm as "l2" | "l1", draw);
  const power = norm === "l2" ? 2 : 1;
  const spare = Math.max(radius ** power - lengthOf(delta, norm) ** power, 0) / channels;
  for (let c = 0; c < channels; c++) {
    const [into, emptied] = [indices(to, dims, c), indices(from, dims, c)];
    const old = into.map((at) => delta[at]);
    const oldLength = lengthOf(old, norm) + 1e-12;
    const sign = signOf(draw);
    const shape = old.map((v, k) => sign * bump[k] + v / oldLength);
    const both = lengthOf(
      [...new Set([...into, ...emptied])].map((at) => delta[at]),
      norm,
    );
    const size = (spare + both ** power) ** (1 / power) * (norm === "l1" ? channels : 1);
    const scale = size / (lengthOf(shape, norm) + 1e-12);
    for (const at of emptied) delta[at] = 0;
    into.forEach((at, k) => {
      delta[at] = scale * shape[k];
    });
  }
  return delta;
}

/** The image at a difference: scaled to the radius in L2, projected in L1. */
function imageAt({ norm, radius, clean }: SquareBoard, delta: Float32Array): Float32Array {
  if (norm === "l1") return inBall(delta, clean, radius);
  const scale = radius / (lengthOf(delta, norm) + 1e-12);
  return clean.map((v, i) => clamp01(v + scale * delta[i]));
}

function lengthOf(values: ArrayLike<number>, norm: SquareBoard["norm"]): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += norm === "l2" ? values[i] ** 2 : Math.abs(values[i]);
  return norm === "l2" ? Math.sqrt(sum) : sum;
}

/** A bump of length 1: one half above zero and one half below, lying or standing. */
function bumpOf(side: number, norm: "l2" | "l1", draw: Draw): Float64Array {
  const half = Math.floor(side / 2);
  const [upper, lower] = [pyramid(half, side, norm), pyramid(side - half, side, norm)];
  const bump = Float64Array.from([...upper, ...lower.map((v) => -v)]);
  const length = lengthOf(bump, norm);
  const lies = draw() < 0.5;
  return bump.map((_, k) => bump[lies ? k : (k % side) * side + Math.floor(k / side)] / length);
}

/** Rectangles around the centre that grow by one pixel at each side, each weaker than the one
 * before, of length 1. */
function pyramid(rows: number, columns: number, norm: "l2" | "l1"): Float64Array {
  const values = new Float64Array(rows * columns);
  const [row, column] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  for (let k = 0; k <= Math.max(row, column); k++)
    for (let r = Math.max(row - k, 0); r < Math.min(row + k + 1, rows); r++)
      for (let c = Math.max(column - k, 0); c < Math.min(column + k + 1, columns); c++)
        values[r * columns + c] += 1 / (k + 1) ** (norm === "l2" ? 2 : 4);
  const length = lengthOf(values, norm);
  return values.map((v) => v / length);
}
