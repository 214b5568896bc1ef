/** @file Encodes pixels as a PNG data URI. Pure, so the same pixels give the same text everywhere.
 *  Large images are reduced to MAX_SIDE by taking every k-th pixel. This keeps a page of twelve
 *  images under a megabyte. Unlike averaging, it keeps the grain of a perturbation. */
import { encode } from "fast-png";

/** The longest side of an embedded image, in pixels. The page shows it at about 96. Photographs of
 * 224 x 224 keep every second pixel. */
export const MAX_SIDE = 112;

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Interleaved 8-bit samples, row by row. */
  readonly data: Uint8Array;
}

/** `data:image/png;base64,...` of the image, reduced when it is large. */
export function pngDataUri(pixels: Pixels): string {
  const { width, height, channels, data } = thin(pixels);
  return `data:image/png;base64,${base64(encode({ width, height, channels, data, depth: 8 }))}`;
}

/** The image itself, or every k-th pixel of it so that both sides are at most MAX_SIDE. */
export function thin(pixels: Pixels): Pixels {
  const { channels, data } = pixels;
  const step = Math.ceil(Math.max(pixels.width, pixels.height) / MAX_SIDE);
  if (step <= 1) return pixels;
  const [width, height] = [Math.ceil(pixels.width / step), Math.ceil(pixels.height / step)];
  const kept = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * step * pixels.width + x * step) * channels;
      kept.set(data.subarray(from, from + channels), (y * width + x) * channels);
    }
  return { width, height, channels, data: kept };
}

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
