/** @file Shapes with symbolic dimensions, broadcasting and strides.
 *  A dimension is a number or a name; a name may carry a factor ("4*n" is four times "n").
 *  Two equal names are the same unknown length; two different names may or may not be. */
import { DynnError } from "./errors.js";

/** A length, or the name of one that is not known, such as the batch. */
export type Dim = number | string;
/** A shape. */
export type Shape = readonly Dim[];
/** A shape of known lengths. */
export type Dims = readonly number[];

/** A shape as people read it: `[n,3,32,32]`. */
export const showShape = (shape: Shape | undefined): string => (shape ? `[${shape.join(",")}]` : "[?]");

export const isStatic = (shape: Shape): shape is Dims => shape.every((d) => typeof d === "number");

/** Number of elements of a shape without unknowns. */
export const sizeOf = (dims: Dims): number => dims.reduce((product, d) => product * d, 1);

/** Row-major strides, in elements. */
export function stridesOf(dims: Dims): number[] {
  const strides = new Array<number>(dims.length);
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= dims[i];
  }
  return strides;
}

/** Map a possibly negative axis to 0..rank-1.
 * @throws DynnError 'shape/mismatch' when it lies outside -rank..rank-1 */
export function normalizeAxis(axis: number, rank: number, where: string): number {
  const from = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(from) && from >= 0 && from < rank) return from;
  throw new DynnError(
    "shape/mismatch",
    `${where}: axis ${axis} does not exist in a tensor of rank ${rank}. Use an axis from ${-rank} to ${rank - 1}.`,
    { axis, rank },
  );
}

const factorOf = (dim: Dim): { factor: number; names: string[] } => {
  if (typeof dim === "number") return { factor: dim, names: [] };
  const [head, ...rest] = dim.split("*") as [string, ...string[]];
  const factor = Number(head);
  return Number.isInteger(factor) && rest.length > 0 ? { factor, names: rest } : { factor: 1, names: [head, ...rest] };
};

/** Product of dimensions, in a canonical form: 4 x "n" x 2 = "8*n". */
export function multiplyDims(dims: Shape): Dim {
  const parts = dims.map(factorOf);
  const factor = parts.reduce((product, p) => product * p.factor, 1);
  const names = parts.flatMap((p) => p.names).sort();
  if (names.length === 0 || factor === 0) return factor;
  return factor === 1 ? names.join("*") : [factor, ...names].join("*");
}

/** Exact quotient of two dimensions, or undefined when it is not known to be whole. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const [over, under] = [factorOf(a), factorOf(b)];
  const names = [...over.names];
  for (const name of under.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  if (under.factor === 0 || over.factor % under.factor !== 0) return undefined;
  return multiplyDims([over.factor / under.factor, ...names]);
}

/** NumPy-style broadcast of two shapes. A name against 1 gives the name; a name against a number n > 1 gives n;
 *  of two different names the second stands, as they must be equal for the graph to run.
 * @throws DynnError 'shape/mismatch' */
export function broadcastShapes(a: Shape, b: Shape, where: string): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da === db || db === 1) return da;
    if (da === 1 || typeof da === "string") return db;
    if (typeof db === "string") return da;
    throw new DynnError(
      "shape/mismatch",
      `${where}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast (${da} against ${db}). Make the lengths equal or one of them 1.`,
      { a, b },
    );
  });
}
