/** @file Reads the bundled sample: real images in one lossless sprite, with labels and provenance
 *  in a file beside it.
 *  scripts/make-samples.mjs makes them. samples/README.md tells where the images come from. */
import { z } from "zod";
import { DynnError, reasonOf } from "../../core/errors.js";
import { type Dataset, inMemory } from "../../data/dataset.js";
import { cropPlanes, decodeImage } from "./image.js";
import { packageFile } from "./package-root.js";
import { readBytes } from "./read.js";

const sampleSchema = z.object({
  sprite: z.string(),
  tile: z.object({ width: z.number().int().positive(), height: z.number().int().positive() }),
  columns: z.number().int().positive(),
  classes: z.array(z.string()),
  labels: z.array(z.number().int().min(0)).min(1),
});

/** Open the bundled sample. Record i is tile i, counted row by row. */
export async function openSample(): Promise<Dataset> {
  const { sprite, tile, columns, classes, labels } = await readManifest(packageFile("samples", "cifar10-500.json"));
  const image = await decodeImage(packageFile("samples", sprite));
  const size = 3 * tile.height * tile.width;
  const pixels = new Uint8Array(labels.length * size);
  labels.forEach((_, i) => {
    pixels.set(cropPlanes(image, tile, (i % columns) * tile.width, Math.floor(i / columns) * tile.height), i * size);
  });
  return inMemory(
    { name: "sample:cifar10", shape: [3, tile.height, tile.width], classes, labels: Int32Array.from(labels) },
    pixels,
  );
}

async function readManifest(file: string): Promise<z.infer<typeof sampleSchema>> {
  const text = new TextDecoder().decode(await readBytes(file));
  try {
    return sampleSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new DynnError(
      "data/format",
      `${file}: is damaged (${reasonOf(thrown)}). Install dynn again.`,
      { file },
      { cause: thrown },
    );
  }
}
