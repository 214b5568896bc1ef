/** @file Images: pixels together with their number and their shape. */
import { DynnError } from "./errors.js";
import { type Shape, showShape, sizeOf } from "./shape.js";

/** Shape of one image. */
export type ImageDims = readonly [channels: number, height: number, width: number];

/** What takes images: a model, or a bundle. `input.shape` is [n,c,h,w]. */
export interface ImageTaker {
  /** Its name in messages. */
  readonly name: string;
  readonly input: { readonly shape: Shape };
}

/** Images of one shape, one after the other. Pixels lie in [0,1]: whoever runs a model on them
 * checks that, the constructor does not.
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

  /** Wrap an array; it is not copied.
   * @param data  float32 [n*c*h*w]
   * @param dims  [c,h,w]
   * @param taker name of what the images are for; an error names it
   * @throws DynnError 'data/shape' when `data` is no whole number of images */
  constructor(data: Float32Array, dims: ImageDims, taker?: string) {
    this.data = data;
    this.dims = dims;
    this.size = sizeOf(dims);
    this.count = data.length === 0 ? 0 : data.length / this.size;
    if (Number.isInteger(this.count)) return;
    const why = taker === undefined ? "" : `, as ${taker} takes`;
    throw new DynnError(
      "data/shape",
      `images: ${data.length} numbers are no whole number of images ${showShape(dims)} (${this.size} each)${why}. Give float32 [n*c*h*w].`,
      { length: data.length, image: dims },
    );
  }

  /** Images of the shape that a model takes; the array is not copied.
   * @param data float32 [n*c*h*w] in [0,1]
   * @throws DynnError 'data/shape' when `data` is no whole number of images, 'shape/unknown' when
   *         the model's image size is open
   * @example const images = Images.for(model, pixels); */
  static for(taker: ImageTaker, data: Float32Array): Images {
    return new Images(data, imageDims(taker), taker.name);
  }

  /** The images from number `from` up to, but not including, number `to`: a view, no copy. An end
   * beyond the last image is the last image's. */
  rows(from: number, to: number): Images {
    return new Images(this.data.subarray(from * this.size, to * this.size), this.dims);
  }

  /** The numbers of image `i`, [c*h*w]: a view, no copy. */
  row(i: number): Float32Array {
    return this.data.subarray(i * this.size, (i + 1) * this.size);
  }
}

/** Channels, height and width that a model takes.
 * @throws DynnError 'shape/unknown' when the file leaves the image size open and none was given */
export function imageDims({ name, input }: ImageTaker): ImageDims {
  const [, ...dims] = input.shape;
  if (dims.every((d) => typeof d === "number")) return dims as unknown as ImageDims;
  throw new DynnError(
    "shape/unknown",
    `${name}: the image size ${showShape(dims)} is open. Read the model with the size of the images.`,
    { shape: input.shape },
  );
}
