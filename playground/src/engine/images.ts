/** @file The images of the page: the bundled sprite, or the images that `dynn play` serves. */

import manifestUrl from "../../../samples/cifar10-500.json?url";
import spriteUrl from "../../../samples/cifar10-500.webp?url";
import type { ImageSet } from "../shared/messages.js";

interface Manifest {
  readonly tile: { readonly width: number; readonly height: number };
  readonly columns: number;
  readonly classes: readonly string[];
  readonly labels: readonly number[];
}

/** What `dynn play` says about the images that it serves. */
interface OwnImages extends Omit<ImageSet, "pixels"> {
  /** Address of the pixels: float32, relative to this description. */
  readonly pixels: string;
}

/** The 500 bundled images. */
export async function bundledImages(): Promise<ImageSet> {
  const [manifest, sprite] = await Promise.all([
    fetch(manifestUrl).then((response) => response.json() as Promise<Manifest>),
    fetch(spriteUrl).then((response) => response.blob()),
  ]);
  const { tile, classes, labels } = manifest;
  const pixels = tilesOf(await rgbaOf(sprite), manifest);
  return { name: "sample", classes, dims: [3, tile.height, tile.width], pixels, labels };
}

/** Images that a server of one's own gives.
 * @param url of their description */
export async function ownImages(url: string): Promise<ImageSet> {
  const own = (await (await fetch(url)).json()) as OwnImages;
  const bytes = await (await fetch(new URL(own.pixels, url))).arrayBuffer();
  return { ...own, pixels: new Float32Array(bytes) };
}

/** The exact bytes of a picture: no colour profile, no alpha. */
async function rgbaOf(blob: Blob): Promise<ImageData> {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser gives no canvas to read pictures with");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** Image after image, each as red, green and blue plane. */
function tilesOf({ data, width }: ImageData, { tile, columns, labels }: Manifest): Float32Array {
  const plane = tile.width * tile.height;
  const pixels = new Float32Array(labels.length * 3 * plane);
  for (let i = 0; i < labels.length; i++) {
    const [left, top] = [(i % columns) * tile.width, Math.floor(i / columns) * tile.height];
    for (let y = 0; y < tile.height; y++)
      for (let x = 0; x < tile.width; x++) {
        const from = 4 * ((top + y) * width + left + x);
        const to = i * 3 * plane + y * tile.width + x;
        for (let c = 0; c < 3; c++) pixels[to + c * plane] = data[from + c] / 255;
      }
  }
  return pixels;
}
