/** @file Image files to RGB bytes, by sharp, and by bitmaps what sharp does not read. Rotation in
 *  the EXIF data is applied,
 *  transparency dropped, grey spread over RGB. */

import { extname } from "node:path";
import type { Sharp } from "sharp";
import { DynnError, reasonOf } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { decodeBmp, decodeNetpbm } from "./bitmaps.js";
import { checkDataFile, readBytes } from "./read.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How an image of another shape comes to a size. crop: the short side is resized, and the centre
 * is cut out. pad: the long side is resized, and black bars fill the rest. stretch: both sides are
 * resized. */
export const FITS = ["crop", "pad", "stretch"] as const;
/** One of {@link FITS}. */
export type Fit = (typeof FITS)[number];

/** The same in the words of sharp. */
const SHARP_FITS = { crop: "cover", pad: "contain", stretch: "fill" } as const satisfies Record<Fit, string>;

/** A size, and how images come to it. */
export interface FittedSize extends Size {
  readonly fit: Fit;
}

/** An image file: its path, or its bytes. */
export type ImageFile = string | Uint8Array;

/** RGB bytes, interleaved, row by row. */
export interface RgbImage extends Size {
  readonly pixels: Uint8Array;
}

/** Loads sharp when the first image is read: it takes a fifth of a second. */
const loadSharp = async () => (await import("sharp")).default;

/** How each kind of image file is opened, by its extension. */
const OPENERS: Readonly<Record<string, (file: string) => Promise<Sharp>>> = {
  ...Object.fromEntries(
    [".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".avif"].map((end) => [end, bySharp]),
  ),
  ".bmp": async (file) => ofBytes(await readBytes(file)),
  ".ppm": async (file) => ofBytes(await readBytes(file)),
  ".pgm": async (file) => ofBytes(await readBytes(file)),
};

/** The first bytes tell the kind of an image that has no name. */
function ofBytes(bytes: Uint8Array): Promise<Sharp> {
  const start = String.fromCharCode(...bytes.subarray(0, 2));
  if (start === "BM") return ofPixels(decodeBmp(bytes));
  return /^P[2356]$/.test(start) ? ofPixels(decodeNetpbm(bytes)) : bySharp(bytes);
}

/** Extensions of the image files that are read, in small letters. */
export const IMAGE_EXTENSIONS: readonly string[] = Object.keys(OPENERS);

/** The extension of a file, in small letters. */
export const extensionOf = (file: string): string => extname(file).toLowerCase();

async function bySharp(file: ImageFile): Promise<Sharp> {
  return (await loadSharp())(file, { failOn: "warning" });
}

const ofPixels = async ({ width, height, pixels }: RgbImage): Promise<Sharp> =>
  (await loadSharp())(pixels, { raw: { width, height, channels: 3 } });

/** Width and height from the file's header.
 * @throws DynnError 'data/format', 'data/missing', 'file/unreadable' */
export const imageSize = (file: string): Promise<Size> =>
  attempt(file, async (image) => (await image.metadata()).autoOrient);

/** Decode a file. Bring the image to `size`, if `size` is given.
 * @throws DynnError 'data/format' when the file is cut short, damaged or not an image,
 *  'data/missing', 'file/unreadable' */
export const decodeImage = (file: ImageFile, size?: FittedSize): Promise<RgbImage> =>
  attempt(file, async (image) => {
    const upright = image.autoOrient().toColourspace("srgb").removeAlpha();
    const fitted = size ? upright.resize(resizeOf(size)) : upright;
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`bug: ${file} was decoded to ${counted(info.channels, "channel")}`);
    return { width: info.width, height: info.height, pixels: data };
  });

const resizeOf = ({ width, height, fit }: FittedSize) => ({
  ...{ width, height, fit: SHARP_FITS[fit] },
  background: { r: 0, g: 0, b: 0 },
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

async function attempt<T>(given: ImageFile, work: (image: Sharp) => Promise<T>): Promise<T> {
  const file = typeof given === "string" ? given : `an image of ${given.length} bytes`;
  if (typeof given === "string") await checkDataFile(given);
  // Without sharp, the image is not to blame.
  await loadSharp();
  try {
    return await work(
      await (typeof given === "string" ? (OPENERS[extensionOf(given)] ?? bySharp)(given) : ofBytes(given)),
    );
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
