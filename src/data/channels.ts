/** @file Images with the number of channels that a model takes: colour made grey, and grey made
 *  colour. */
import { sizeOf } from "../core/shape.js";
import { type Dataset, makeDataset, withNotes } from "./dataset.js";

/** Luma of ITU-R BT.601, as Pillow's mode "L" has it, without its rounding to 8 bits. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** What a reader of results must know of images that were made grey. */
export const GREY =
  'images have 3 channels, and the model takes 1. dynn makes them grey: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as Pillow\'s "L")';
const COLOUR = "images have 1 channel, and the model takes 3. dynn repeats it in R, G and B";

/** Writes the luma of RGB images.
 * @param rgb [count,3,h,w]
 * @param out [count,1,h,w], of `plane` pixels each */
export function writeGrey(rgb: Float32Array, out: Float32Array, plane: number): void {
  for (let i = 0; i < out.length; i++) {
    const red = Math.floor(i / plane) * 3 * plane + (i % plane);
    out[i] = Math.min(1, LUMA[0] * rgb[red] + LUMA[1] * rgb[red + plane] + LUMA[2] * rgb[red + 2 * plane]);
  }
}

/** Writes each grey plane three times. */
function writeColour(grey: Float32Array, out: Float32Array, plane: number): void {
  for (let i = 0; i < out.length; i++) out[i] = grey[Math.floor(i / (3 * plane)) * plane + (i % plane)];
}

/** The data with as many channels as the model takes. The notes say what was done. Data of other
 * numbers of channels come back as they are.
 * @param channels of the model */
export function withChannels(data: Dataset, channels: number | string | undefined): Dataset {
  const [has, height, width] = data.shape;
  const toGrey = has === 3 && channels === 1;
  if (!toGrey && !(has === 1 && channels === 3)) return data;
  const plane = height * width;
  const write = toGrey ? writeGrey : writeColour;
  const shape = [toGrey ? 1 : 3, height, width] as const;
  const made = makeDataset({ ...data, shape }, async (indices, out) => {
    const from = new Float32Array(indices.length * sizeOf(data.shape));
    await data.read(indices, from);
    write(from, out, plane);
  });
  return withNotes(made, [`${data.name}: ${toGrey ? GREY : COLOUR}.`]);
}
