/** @file Images read at other places: resized, padded, rotated, translated. Every such map is
 *  linear in the pixels, so it has a transpose, which carries gradients back. Between pixels, the
 *  value is bilinear. */

import type { ImageDims } from "../core/images.js";

/** Where a pixel of the result is read: row and column of the source, which can lie between
 * pixels. Undefined: the pixel is 0. */
export type Place = (row: number, column: number) => readonly [row: number, column: number] | undefined;

/** A linear map of images of one size. Each pixel of the result is a weighted sum of at most four
 * pixels of the same channel. */
export class Warp {
  readonly #dims: ImageDims;
  /** Four sources for each pixel of the result. */
  readonly #source: Int32Array;
  readonly #weight: Float32Array;

  constructor(dims: ImageDims, place: Place) {
    const [, height, width] = dims;
    this.#dims = dims;
    this.#source = new Int32Array(4 * height * width);
    this.#weight = new Float32Array(4 * height * width);
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const from = place(row, column);
        if (from) this.#take(4 * (row * width + column), from);
      }
  }

  /** The image after the map.
   * @param image float32 [c*h*w] */
  apply(image: Float32Array): Float32Array {
    return this.#sum(image, (out, source, to, from, weight) => {
      out[to] += weight * source[from];
    });
  }

  /** The transposed map: turns a gradient with respect to the result into one with respect to the
   * image.
   * @param gradient float32 [c*h*w] */
  transpose(gradient: Float32Array): Float32Array {
    return this.#sum(gradient, (out, source, to, from, weight) => {
      out[from] += weight * source[to];
    });
  }

  /** The weights of the four pixels around a place. Pixels outside the image have none. */
  #take(at: number, [row, column]: readonly [number, number]): void {
    const [, height, width] = this.#dims;
    const [top, left] = [Math.floor(row), Math.floor(column)];
    for (let k = 0; k < 4; k++) {
      const [y, x] = [top + (k >> 1), left + (k & 1)];
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      this.#source[at + k] = y * width + x;
      this.#weight[at + k] = (1 - Math.abs(row - y)) * (1 - Math.abs(column - x));
    }
  }

  #sum(
    given: Float32Array,
    add: (out: Float32Array, given: Float32Array, to: number, from: number, weight: number) => void,
  ): Float32Array {
    const [channels, height, width] = this.#dims;
    const plane = height * width;
    const out = new Float32Array(given.length);
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < 4 * plane; i++)
        if (this.#weight[i] !== 0) add(out, given, c * plane + (i >> 2), c * plane + this.#source[i], this.#weight[i]);
    return out;
  }
}

/** Shrinks an image to height x width and places it on black, `top` rows and `left` columns from
 * the corner. Corners of pixels are not aligned. */
export function shrinkAndPad(
  dims: ImageDims,
  [height, width]: readonly [number, number],
  top: number,
  left: number,
): Warp {
  const [, h, w] = dims;
  const along = (at: number, from: number, to: number): number =>
    Math.min(Math.max(((at + 0.5) * from) / to - 0.5, 0), from - 1);
  return new Warp(dims, (row, column) => {
    const [y, x] = [row - top, column - left];
    const inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? [along(y, h, height), along(x, w, width)] : undefined;
  });
}

/** Rotates an image about its centre and translates it, on black. Source: Engstrom et al. 2019,
 * with the signs of the implementation in Foolbox.
 * @param degrees the angle
 * @param translation rows and columns, in pixels */
export function rotateAndTranslate(dims: ImageDims, degrees: number, [down, right]: readonly [number, number]): Warp {
  const [, h, w] = dims;
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // Coordinates from -1 to 1 over the centres of the first and the last pixel.
  const scaled = (at: number, n: number): number => (n > 1 ? (2 * at) / (n - 1) - 1 : 0);
  const pixel = (at: number, n: number): number => ((at + 1) * (n - 1)) / 2;
  return new Warp(dims, (row, column) => {
    const [y, x] = [scaled(row, h), scaled(column, w)];
    return [pixel(sin * x + cos * y, h) + down, pixel(cos * x - sin * y, w) + right];
  });
}
