/** @file Image files to RGB bytes, by sharp. Rotation in the EXIF data is applied, transparency dropped, grey spread over RGB. */
import sharp, { type Sharp } from "sharp";
import { DynnError, reasonOf } from "../../core/errors.js";
import { checkDataFile } from "./read.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Interleaved RGB bytes, row by row. */
export interface RgbImage extends Size {
  readonly pixels: Uint8Array;
}

/** Width and height from the file's header.
 * @throws DynnError 'data/format', 'data/missing', 'file/unreadable' */
export const imageSize = (file: string): Promise<Size> =>
  attempt(file, async (image) => (await image.metadata()).autoOrient);

/** Decode a file, stretched to `size` when given.
 * @throws DynnError 'data/format' when it is cut, damaged or no image, 'data/missing', 'file/unreadable' */
export const decodeImage = (file: string, size?: Size): Promise<RgbImage> =>
  attempt(file, async (image) => {
    const upright = image.autoOrient().toColourspace("srgb").removeAlpha();
    const fitted = size ? upright.resize({ ...size, fit: "fill" }) : upright;
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`bug: ${file} was decoded to ${info.channels} channels`);
    return { width: info.width, height: info.height, pixels: data };
  });

/** A rectangle of an image as planes [3,height,width], from column `x` and row `y` on. */
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
  await checkDataFile(file);
  try {
    return await work(sharp(file, { failOn: "warning" }));
  } catch (thrown) {
    throw new DynnError(
      "data/format",
      `${file}: cannot be decoded as an image (${reasonOf(thrown).trim()}). Replace or remove the file.`,
      { file },
      { cause: thrown },
    );
  }
}
