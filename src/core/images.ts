/** @file Images: pixels with the number of images and their shape. */

import { DynnError } from "./errors.js";
import { checkFloats } from "./given.js";
import { type Shape, showShape, sizeOf } from "./shape.js";
import { counted } from "./units.js";

/** Shape of one image. */
export type ImageDims = readonly [channels: number, height: number, width: number];

/** A model or a bundle: something that takes images. `input.shape` is [n,c,h,w]. */
export interface ImageTaker {
  /** Its name in messages. */
  readonly name: string;
  readonly input: { readonly shape: Shape };
}

/** Images of one shape, one after the other. Pixels are in [0,1]. The constructor does not check
 * pixels; the code that runs a model on them does.
 * @example
 * const images = new Images(new Float32Array(8 * 3 * 32 * 32).fill(0.5), [3, 32, 32]);
 * images.count; // 8
 * images.rows(0, 2).count; // 2 */
export class Images {
  /** float32 [count*c*h*w] in [0,1], row-major. */
  readonly data: Float32Array;
  /** Number of images. */
  readonly count: number;
  /** [c,h,w] of every image. */
  readonly dims: ImageDims;
  /** Numbers in one image: c*h*w. */
  readonly size: number;

  /** Wraps an array without copying it.
   * @param data float32 [n*c*h*w]
   * @param dims [c,h,w]
   * @param taker the model or bundle that the images are for; an error names it
   * @throws DynnError 'data/shape' when the length of `data` is not a multiple of c*h*w */
  constructor(data: Float32Array, dims: ImageDims, taker?: string) {
    this.data = data;
    this.dims = dims;
    this.size = sizeOf(dims);
    this.count = data.length === 0 ? 0 : data.length / this.size;
    if (Number.isInteger(this.count)) return;
    const why = taker === undefined ? "" : `, as ${taker} takes`;
    throw new DynnError(
      "data/shape",
      `images: ${counted(data.length, "number is", "numbers are")} not a whole number of images ${showShape(dims)} (${this.size} each)${why}. Give float32 [n*c*h*w].`,
      { length: data.length, image: dims },
    );
  }

  /** Images of the shape that a model takes. The array is not copied.
   * @param data float32 [n*c*h*w] in [0,1]
   * @throws DynnError 'data/shape' when the length of `data` is not a multiple of c*h*w,
   *   'shape/unknown' when the model's image size is open
   * @example const images = Images.for(model, pixels); */
  static for(taker: ImageTaker, data: Float32Array): Images {
    return new Images(data, imageDims(taker), taker.name);
  }

  /** The images from number `from` up to, but not including, number `to`, as a view. Numbers
   * beyond the last image are left out. */
  rows(from: number, to: number): Images {
    return new Images(this.data.subarray(from * this.size, to * this.size), this.dims);
  }

  /** The pixels of image `i`, [c*h*w], as a view. */
  row(i: number): Float32Array {
    return this.data.subarray(i * this.size, (i + 1) * this.size);
  }
}

/** The pixels of images, or the pixels that are given as an array.
 * @throws DynnError 'call/argument' for another kind of value */
export function pixelsOf(where: string, given: Float32Array | Images): Float32Array {
  if (given instanceof Images) return given.data;
  checkFloats(where, given);
  return given;
}

/** Channels, height and width that a model takes.
 * @throws DynnError 'shape/unknown' when the model's image size is open */
export function imageDims({ name, input }: ImageTaker): ImageDims {
  const [, ...dims] = input.shape;
  if (dims.every((d) => typeof d === "number")) return dims as unknown as ImageDims;
  throw new DynnError(
    "shape/unknown",
    `${name}: the image size ${showShape(dims)} is open. Read the model with the size of the images.`,
    { shape: input.shape },
  );
}
