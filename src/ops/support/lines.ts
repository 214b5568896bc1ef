/** @file Splits an array into lines along some of its axes, for reductions, softmax and
 *  normalizations. */
import { type Dims, stridesOf } from "../../core/shape.js";
import { walkOffsets } from "./nd.js";

/** One line per index over the other axes, in row-major order. The elements of line i are at
 * `starts[i] + steps[k]`. */
export interface Lines {
  readonly starts: Int32Array;
  readonly steps: Int32Array;
}

/** The lines of an array that run over `axes`. */
export function linesOver(dims: Dims, axes: readonly number[]): Lines {
  const strides = stridesOf(dims);
  const others = dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const walk = (along: readonly number[]): Int32Array =>
    walkOffsets(
      along.map((axis) => dims[axis]),
      along.map((axis) => strides[axis]),
    );
  return { starts: walk(others), steps: walk(axes) };
}

/** The axes from `first` to the last. */
export const axesFrom = (first: number, rank: number): readonly number[] =>
  Array.from({ length: rank - first }, (_, i) => first + i);
