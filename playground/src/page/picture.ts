/** @file Pixels to canvases and back: [c*h*w] in [0,1], planes of channels. */
import type { ImageDims } from "dynn/web";

const context = (canvas: HTMLCanvasElement): CanvasRenderingContext2D => {
  const found = canvas.getContext("2d", { willReadFrequently: true });
  if (!found) throw new Error("this browser gives no canvas");
  return found;
};

/** Draw pixels, one screen pixel for each. */
export function paint(canvas: HTMLCanvasElement, pixels: Float32Array, [channels, height, width]: ImageDims): void {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * pixels[i + (channels === 3 ? c * plane : 0)]);
    image.data[4 * i + 3] = 255;
  }
  context(canvas).putImageData(image, 0, 0);
}

/** The change, enlarged: grey where nothing changed. */
export const enlarged = (pixels: Float32Array, clean: Float32Array, factor: number): Float32Array =>
  pixels.map((v, i) => Math.min(1, Math.max(0, 0.5 + factor * (v - clean[i]))));

/** Pixels of a picture, cut to the shape of the images and made as small as they are. */
export function pixelsOf(
  source: CanvasImageSource,
  size: { width: number; height: number },
  dims: ImageDims,
): Float32Array {
  const [, height, width] = dims;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const to = context(canvas);
  to.fillStyle = "#fff";
  to.fillRect(0, 0, width, height);
  to.imageSmoothingQuality = "high";
  const scale = Math.max(width / size.width, height / size.height);
  const [w, h] = [size.width * scale, size.height * scale];
  to.drawImage(source, (width - w) / 2, (height - h) / 2, w, h);
  return planesOf(to.getImageData(0, 0, width, height), dims);
}

/** A picture file, decoded.
 * @throws when the browser cannot read it */
export async function pictureOf(file: Blob): Promise<HTMLImageElement> {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src);
  }
  return picture;
}

function planesOf({ data }: ImageData, [channels, height, width]: ImageDims): Float32Array {
  const plane = width * height;
  const pixels = new Float32Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const rgb = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 3) for (let c = 0; c < 3; c++) pixels[c * plane + i] = rgb[c] / 255;
    else pixels.fill((rgb[0] + rgb[1] + rgb[2]) / 3 / 255, i, i + 1);
  }
  return pixels;
}

/** An image of one shape as one of another. */
export function reshaped(pixels: Float32Array, from: ImageDims, to: ImageDims): Float32Array {
  if (from.every((d, i) => d === to[i])) return pixels;
  const canvas = document.createElement("canvas");
  paint(canvas, pixels, from);
  return pixelsOf(canvas, canvas, to);
}

/** Save pixels as a PNG file of their own size. */
export async function savePng(pixels: Float32Array, dims: ImageDims, name: string): Promise<void> {
  const canvas = document.createElement("canvas");
  paint(canvas, pixels, dims);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("this browser cannot write PNG");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
