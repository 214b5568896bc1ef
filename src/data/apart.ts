/** @file Records kept apart: which images two datasets share. Data under two names may hold the same images, and one image may
 *  stand in the data twice, so the images are compared. */
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

/** Images that were seen already. */
export class SeenImages {
  readonly #prints = new Set<string>();

  /** Count the images of a dataset as seen. */
  async add(data: Dataset): Promise<void> {
    for (const print of await fingerprints(data)) this.#prints.add(print);
  }

  /** The records of a dataset whose images were not seen, by index. */
  async unseen(data: Dataset): Promise<number[]> {
    const prints = await fingerprints(data);
    return prints.flatMap((print, i) => (this.#prints.has(print) ? [] : [i]));
  }

  /** The unseen records of a dataset, which count as seen from then on; undefined where there are none.
   * @param most the first so many of them */
  async take(data: Dataset, most = data.count): Promise<Dataset | undefined> {
    const fresh = (await this.unseen(data)).slice(0, most);
    await this.add(data);
    return fresh.length > 0 ? subset(data, fresh) : undefined;
  }
}
