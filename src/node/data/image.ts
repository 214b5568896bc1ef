/** @file Image files to RGB bytes, by sharp, and by bitmaps what sharp does not read. Rotation in
 *  the EXIF data is applied,
 *  transparency dropped, grey spread over RGB. */
import { extname } from "node:path";
import sharp, { type Sharp } from "sharp";
import { DynnError, reasonOf } from "../../core/errors.js";
import { decodeBmp, decodeNetpbm } from "./bitmaps.js";
import { readBytes } from "./read.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** RGB bytes, interleaved, row by row. */
export interface RgbImage extends Size {
  readonly pixels: Uint8Array;
}

/** How each kind of image file is opened, by its extension. */
const OPENERS: Readonly<Record<string, (file: string) => Sharp | Promise<Sharp>>> = {
  ...Object.fromEntries(
    [".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".avif"].map((end) => [end, bySharp]),
  ),
  ".bmp": async (file) => ofPixels(decodeBmp(await readBytes(file))),
  ".ppm": async (file) => ofPixels(decodeNetpbm(await readBytes(file))),
  ".pgm": async (file) => ofPixels(decodeNetpbm(await readBytes(file))),
};

/** Extensions of the image files that are read, in small letters. */
export const IMAGE_EXTENSIONS: readonly string[] = Object.keys(OPENERS);

/** The extension of a file, in small letters. */
export const extensionOf = (file: string): string => extname(file).toLowerCase();

function bySharp(file: string): Sharp {
  return sharp(file, { failOn: "warning" });
}

const ofPixels = ({ width, height, pixels }: RgbImage): Sharp => sharp(pixels, { raw: { width, height, channels: 3 } });

/** Width and height from the file's header.
 * @throws DynnError 'data/format' */
export const imageSize = (file: string): Promise<Size> =>
  attempt(file, async (image) => (await image.metadata()).autoOrient);

/** Decode a file. Stretch the image to `size`, if `size` is given.
 * @throws DynnError 'data/format' when the file is cut short, damaged or not an image */
export const decodeImage = (file: string, size?: Size): Promise<RgbImage> =>
  attempt(file, async (image) => {
    const upright = image.autoOrient().toColourspace("srgb").removeAlpha();
    const fitted = size ? upright.resize({ ...size, fit: "fill" }) : upright;
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`bug: ${file} was decoded to ${info.channels} channels`);
    return { width: info.width, height: info.height, pixels: data };
  });

/** A rectangle of an image as planes [3,height,width]. Its top left corner is column `x` and row
 * `y`. */
export function cropPlanes(image: RgbImage, { width, height }: Size, x = 0, y = 0): Uint8Array {
  const planes = new Uint8Array(3 * height * width);
  let at = 0;
  for (let channel = 0; channel < 3; channel++)
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++)
        planes[at++] = image.pixels[(row * image.width + column) * 3 + channel];
  return planes;
}

async function attempt<T>(file: string, work: (image: Sharp) => Promise<T>): Promise<T> {
  try {
    return await work(await (OPENERS[extensionOf(file)] ?? bySharp)(file));
  } catch (thrown) {
    if (thrown instanceof DynnError) throw thrown;
    throw new DynnError(
      "data/format",
      `${file}: cannot be decoded as an image (${reasonOf(thrown).trim()}). Replace or remove the file.`,
      { file },
      { cause: thrown },
    );
  }
}
