/** @file A dataset from two arrays: images [n,c,h,w] and labels [n], [n,1] or one-hot [n,classes].
 *  Images are floats that lie in [0,1] or bytes that are divided by 255; every float is checked
 *  once, here. */

import { DynnError } from "../core/errors.js";
import { checkPixels } from "../core/pixels.js";
import { showShape, sizeOf } from "../core/shape.js";
import { type Tensor, toNumbers } from "../core/tensor.js";
import { checkLabels, type Dataset, inMemory } from "./dataset.js";

/** Names of the dataset and its two files. */
export interface PairNames {
  readonly name: string;
  readonly images: string;
  readonly labels: string;
}

/** @param images float16, float32 or float64 in [0,1], or uint8; [n,c,h,w], n >= 1
 * @param labels whole numbers of any type, [n] or [n,1]; or one-hot rows, [n,classes]
 * @throws DynnError 'data/format' (element type), 'data/shape', 'data/value' (a pixel outside [0,1]
 * or NaN), 'data/label' */
export function pairDataset(images: Tensor, labels: Tensor, names: PairNames): Dataset {
  checkShapes(images, labels, names);
  const [n, c, h, w] = images.dims as readonly [number, number, number, number];
  const header = { name: names.name, shape: [c, h, w] as const, classes: undefined, labels: readLabels(labels, names) };
  if (images.data instanceof Uint8Array && images.dtype === "uint8") return inMemory(header, images.data);
  if (!["float16", "float32", "float64"].includes(images.dtype))
    throw new DynnError(
      "data/format",
      `${names.images}: got ${images.dtype} pixels, expected float32 in [0,1] or uint8. Convert the array.`,
      { dtype: images.dtype },
    );
  const pixels = images.data instanceof Float32Array ? images.data : toNumbers(images);
  checkPixels({ name: names.images, pixels }, sizeOf(images.dims) / n);
  return inMemory(header, pixels instanceof Float32Array ? pixels : Float32Array.from(pixels));
}

function checkShapes(images: Tensor, labels: Tensor, names: PairNames): void {
  if (images.dims.length !== 4 || sizeOf(images.dims) === 0)
    throw new DynnError(
      "data/shape",
      `${names.images}: got shape ${showShape(images.dims)}, expected images [n,c,h,w] with at least one. Reshape the array.`,
      { dims: images.dims },
    );
  const [n, c, , w] = images.dims as readonly [number, number, number, number];
  if (c > 4 && (w === 1 || w === 3))
    throw new DynnError(
      "data/shape",
      `${names.images}: shape ${showShape(images.dims)} looks like [n,h,w,c], expected [n,c,h,w]. Transpose the axes to 0,3,1,2.`,
      { dims: images.dims },
    );
  if (labels.dims.length < 1 || labels.dims.length > 2 || labels.dims[0] !== n || labels.dims[1] === 0)
    throw new DynnError(
      "data/shape",
      `${names.labels}: got shape ${showShape(labels.dims)}, expected labels [${n}], one for each image. Give arrays that belong together.`,
      { dims: labels.dims, images: n },
    );
}

/** @throws DynnError 'data/format', 'data/label' */
function readLabels(labels: Tensor, names: PairNames): Int32Array {
  if (!/^(u?int|float|bool)/.test(labels.dtype))
    throw new DynnError(
      "data/format",
      `${names.labels}: got ${labels.dtype} labels, expected whole numbers. Convert the array.`,
      { dtype: labels.dtype },
    );
  const columns = labels.dims[1] ?? 1;
  const values = toNumbers(labels);
  const numbers = columns === 1 ? values : fromOneHot(values, columns, names);
  checkLabels({ name: names.labels, labels: numbers }, 2 ** 31);
  return Int32Array.from(numbers);
}

/** The column of the 1 in each row.
 * @throws DynnError 'data/label' when a row holds anything but one 1 and zeros */
function fromOneHot(values: ArrayLike<number>, columns: number, names: PairNames): number[] {
  return Array.from({ length: values.length / columns }, (_, record) => {
    const row = Array.from({ length: columns }, (_, column) => values[record * columns + column]);
    const label = row.indexOf(1);
    if (label >= 0 && row.every((value, column) => value === (column === label ? 1 : 0))) return label;
    throw new DynnError(
      "data/label",
      `${names.labels}: record ${record} has the row ${row.slice(0, 10).join(" ")}${columns > 10 ? " ..." : ""}, expected one 1 and zeros. Give the number of the class, or one-hot rows.`,
      { record, columns },
    );
  });
}
