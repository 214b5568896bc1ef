/** @file Datasets, with labels in memory and pixels on demand, and functions that cut and join
 *  them. Pixels are always float32 in [0,1], NCHW, RGB (or grey). The index of a record is its
 *  place in file order. */

import { DynnError } from "../core/errors.js";
import { Images } from "../core/images.js";
import { sizeOf } from "../core/shape.js";
import { counted } from "../core/units.js";

/** Labelled images of one size. */
export interface Dataset {
  /** The origin of the records, e.g. "cifar10:test". */
  readonly name: string;
  /** Number of records. */
  readonly count: number;
  /** [channels, height, width] of every record. */
  readonly shape: readonly [number, number, number];
  /** Names of the classes. Undefined when they are not known. */
  readonly classes: readonly string[] | undefined;
  /** The true class of each record, [count]. */
  readonly labels: Int32Array;
  /** What a reader of results must know of the data, e.g. files that were passed over and how
   * classes were matched. */
  readonly notes?: readonly string[] | undefined;
  /** The same records with images of another size. Absent where the size is fixed, as in archives
   * and where the caller chose it. */
  readonly resized?: ((height: number, width: number) => Dataset) | undefined;
  /** Write the records `indices`, row by row, to `out` (indices.length * c * h * w values in
   * [0,1]).
   * @throws DynnError 'data/format' or 'data/shape' when an image that is decoded on demand turns
   * out bad */
  readonly read: (indices: ArrayLike<number>, out: Float32Array) => Promise<void>;
}

/** Everything of a dataset but the way to its pixels. */
export type DatasetHeader = Pick<Dataset, "name" | "shape" | "classes" | "labels" | "notes">;

/** byte / 255, each quotient rounded once to float32. */
const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Write `bytes` as pixels in [0,1] to `out`, from `at` on. */
export function writePixels(bytes: Uint8Array, out: Float32Array, at: number): void {
  for (let i = 0; i < bytes.length; i++) out[at + i] = UNIT[bytes[i]];
}

/** Makes a dataset whose pixels `readAll` writes, `size` values per record. The arguments of `read`
 * are checked first. */
export function makeDataset(
  header: DatasetHeader,
  readAll: (indices: ArrayLike<number>, out: Float32Array, size: number) => Promise<void>,
): Dataset {
  const { name, shape, classes, labels, notes } = header;
  const size = sizeOf(shape);
  const read = async (indices: ArrayLike<number>, out: Float32Array): Promise<void> => {
    if (out.length !== indices.length * size)
      throw new Error(
        `bug: ${name}: ${counted(indices.length, "record needs", "records need")} ${indices.length * size} values, out has ${out.length}`,
      );
    checkIndices(name, indices, labels.length);
    await readAll(indices, out, size);
  };
  return { name, count: labels.length, shape, classes, labels, notes, read };
}

/** The data with more notes. A note that the data have already is not repeated. */
export function withNotes(data: Dataset, notes: readonly string[]): Dataset {
  const all = [...new Set([...(data.notes ?? []), ...notes])];
  return all.length === 0 ? data : { ...data, notes: all };
}

/** The notes of data sets, each once; undefined where there are none, so that records leave them
 * out. */
export function notesOf(...data: readonly (Dataset | undefined)[]): string[] | undefined {
  const notes = [...new Set(data.flatMap((one) => one?.notes ?? []))];
  return notes.length > 0 ? notes : undefined;
}

/** Makes a dataset over one array of bytes, or of floats in [0,1].
 * @param start index of the first element of record 0
 * @param stride distance in elements between two records */
export function inMemory(
  header: DatasetHeader,
  data: Uint8Array | Float32Array,
  start = 0,
  stride = sizeOf(header.shape),
): Dataset {
  return makeDataset(header, async (indices, out, size) => {
    for (let row = 0; row < indices.length; row++) {
      const from = start + indices[row] * stride;
      const pixels = data.subarray(from, from + size);
      if (pixels instanceof Uint8Array) writePixels(pixels, out, row * size);
      else out.set(pixels, row * size);
    }
  });
}

/** Reads records as images.
 * @param indices records, by their place in file order. The default is all records
 * @throws DynnError as `dataset.read`
 * @example const images = await readImages(await openDataset("sample"), [0, 1, 2]); */
export async function readImages(dataset: Dataset, indices: ArrayLike<number> = allOf(dataset)): Promise<Images> {
  const pixels = new Float32Array(indices.length * sizeOf(dataset.shape));
  await dataset.read(indices, pixels);
  return new Images(pixels, dataset.shape);
}

/** Number of records that are run to see what the outputs of a model hold. */
const LOOKED_AT = 16;

/** The first records as images, as many as a check of a model's outputs takes. */
export const firstImages = (dataset: Dataset): Promise<Images> =>
  readImages(dataset, [...Array(Math.min(LOOKED_AT, dataset.count)).keys()]);

const allOf = ({ count }: Dataset): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** How some records of a data set are named. */
export interface SubsetOptions {
  /** Default: the name of the data set. */
  readonly name?: string | undefined;
}

/** The records `indices` of `dataset`, in that order. */
export function subset(
  dataset: Dataset,
  indices: ArrayLike<number>,
  { name = dataset.name }: SubsetOptions = {},
): Dataset {
  checkIndices(name, indices, dataset.count);
  const chosen = Uint32Array.from(indices);
  const labels = Int32Array.from(chosen, (index) => dataset.labels[index]);
  const { resized } = dataset;
  const made = makeDataset({ ...dataset, name, labels }, (rows, out) =>
    dataset.read(
      Array.from(rows, (row) => chosen[row]),
      out,
    ),
  );
  return resized ? { ...made, resized: (height, width) => subset(resized(height, width), indices, { name }) } : made;
}

/** The records of several datasets of one shape, one after the other. */
export function concat(parts: readonly [Dataset, ...Dataset[]], name: string): Dataset {
  const labels = Int32Array.from(parts.flatMap((part) => [...part.labels]));
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.count, 0));
  return makeDataset({ ...parts[0], name, labels }, async (indices, out, size) => {
    for (let row = 0; row < indices.length; row++) {
      const index = indices[row];
      const at = starts.findLastIndex((start) => start <= index);
      await parts[at].read([index - starts[at]], out.subarray(row * size, (row + 1) * size));
    }
  });
}

/** Checks that labels are class indices.
 * @param source a dataset, or labels of any number type under a name
 * @param classes number of classes
 * @throws DynnError 'data/label' naming the first bad record */
export function checkLabels(
  source: { readonly name: string; readonly labels: ArrayLike<number> },
  classes: number,
): void {
  for (let record = 0; record < source.labels.length; record++) {
    const label = source.labels[record];
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new DynnError(
      "data/label",
      `${source.name}: record ${record} has label ${label}, expected an integer from 0 to ${classes - 1}. Give labels that number the classes from 0, as the model does.`,
      { record, label, classes },
    );
  }
}

/** The first `count` records, or all records if there are fewer. */
export const first = (data: Dataset, count: number): Dataset =>
  subset(
    data,
    Array.from({ length: Math.min(count, data.count) }, (_, i) => i),
  );

function checkIndices(name: string, indices: ArrayLike<number>, count: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      throw new Error(`bug: ${name}: record ${index} does not exist, there are ${count}`);
  }
}
