/** @file Finds images that are in two datasets. Datasets with different names can hold the same
 *  images, and a dataset can hold an image twice. So the images themselves are compared. */
import { sizeOf } from "../core/shape.js";
import { type Dataset, subset } from "./dataset.js";

/** A digest of each image of a dataset, in the order of its records. */
export async function fingerprints(data: Dataset): Promise<string[]> {
  const pixels = new Float32Array(sizeOf(data.shape));
  const prints: string[] = [];
  for (let i = 0; i < data.count; i++) {
    await data.read([i], pixels);
    prints.push(await printOf(pixels));
  }
  return prints;
}

async function printOf(pixels: Float32Array<ArrayBuffer>): Promise<string> {
  const digest = new Int32Array(await crypto.subtle.digest("SHA-256", pixels));
  return digest.join();
}

/** A set of images that were seen. */
export class SeenImages {
  readonly #prints = new Set<string>();

  /** Adds the images of a dataset. */
  async add(data: Dataset): Promise<void> {
    for (const print of await fingerprints(data)) this.#prints.add(print);
  }

  /** The indices of the records of a dataset whose images were not seen. */
  async unseen(data: Dataset): Promise<number[]> {
    const prints = await fingerprints(data);
    return prints.flatMap((print, i) => (this.#prints.has(print) ? [] : [i]));
  }

  /** The unseen records of a dataset. They count as seen from then on. Undefined when all records
   * were seen.
   * @param most largest number of records. The first ones are taken */
  async take(data: Dataset, most = data.count): Promise<Dataset | undefined> {
    const fresh = (await this.unseen(data)).slice(0, most);
    await this.add(data);
    return fresh.length > 0 ? subset(data, fresh) : undefined;
  }
}
