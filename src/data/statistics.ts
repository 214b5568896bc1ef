/** @file Mean and standard deviation of each channel of a dataset. The dataset is read in parts, so
 *  only one part is in memory. The model normalises with them, and the mean is the colour of cutout
 *  (augment). Compute them from training records only. Source: Chan, Golub & LeVeque, "Algorithms
 *  for computing the sample variance", 1983 (how two parts are joined). */
import { sizeOf } from "../core/shape.js";
import type { Dataset } from "./dataset.js";

/** Mean and standard deviation of pixels. */
export interface ChannelStatistics {
  /** One value per channel. */
  readonly mean: readonly number[];
  /** One value per channel, in population form: the divisor is the number of pixels. 0 for a
   * constant channel. */
  readonly std: readonly number[];
}

/** Count, mean and sum of squared distances from the mean. */
interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly squares: number;
}

const NONE: Moments = { n: 0, mean: 0, squares: 0 };

/** Number of records to read at once. */
const PART = 256;

/** Those of all records, by dataset: a plan asks for them once for each network. */
const KNOWN = new WeakMap<Dataset, Promise<ChannelStatistics>>();

/** Float64 statistics over all pixels of the records `indices` (default: all records).
 * @throws every error of the dataset when a record cannot be read */
export async function channelStatistics(dataset: Dataset, indices?: ArrayLike<number>): Promise<ChannelStatistics> {
  if (indices) return computed(dataset, indices);
  const known = KNOWN.get(dataset) ?? computed(dataset, undefined);
  KNOWN.set(dataset, known);
  return known.catch((error: unknown) => {
    KNOWN.delete(dataset);
    throw error;
  });
}

async function computed(dataset: Dataset, indices: ArrayLike<number> | undefined): Promise<ChannelStatistics> {
  const records = Uint32Array.from(indices ?? { length: dataset.count }, indices ? (index) => index : (_, i) => i);
  const [channels, height, width] = dataset.shape;
  const [plane, size] = [height * width, sizeOf(dataset.shape)];
  const total = new Array<Moments>(channels).fill(NONE);
  for (let from = 0; from < records.length; from += PART) {
    const part = records.subarray(from, from + PART);
    const pixels = new Float32Array(part.length * size);
    await dataset.read(part, pixels);
    for (let i = 0; i < part.length * channels; i++)
      total[i % channels] = join(total[i % channels], momentsOf(pixels.subarray(i * plane, (i + 1) * plane)));
  }
  return { mean: total.map(({ mean }) => mean), std: total.map(({ n, squares }) => Math.sqrt(squares / n)) };
}

function momentsOf(values: Float32Array): Moments {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return { n: values.length, mean, squares };
}

function join(a: Moments, b: Moments): Moments {
  const n = a.n + b.n;
  const apart = b.mean - a.mean;
  return { n, mean: a.mean + (apart * b.n) / n, squares: a.squares + b.squares + (apart ** 2 * a.n * b.n) / n };
}
