/** @file The index arithmetic of DepthToSpace and SpaceToDepth. */
import { type Dim, divideDims, multiplyDims, type Shape } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch, type NdArray } from "../../graph/op.js";
import { ndTranspose } from "./nd.js";

export function blockOf(node: Node, shape: Shape): number {
  const size = attribute(node, "blocksize", "int") ?? 0;
  if (size >= 1 && shape.length === 4) return size;
  throw mismatch(
    node,
    `blocksize ${size} and input shape [${shape}], expected a block of at least 1 and four axes. Export the model again.`,
    { blocksize: size, shape },
  );
}

/** Exact quotient of a length.
 * @throws DynnError 'shape/mismatch' when the quotient is not whole */
export function quotient(node: Node, length: Dim, by: number): Dim {
  const found = divideDims(length, by);
  if (found !== undefined) return found;
  if (typeof length === "string") return `(${length.replaceAll("*", "·")}/${by})`;
  throw mismatch(node, `a length of ${length} is not a multiple of ${by}. Use other image sizes.`, { length, by });
}

/** Reshape, transpose, reshape. */
export const rearrange = (
  x: NdArray,
  split: readonly number[],
  perm: readonly number[],
  dims: readonly number[],
): NdArray => ({
  dims,
  data: ndTranspose({ dims: split, data: x.data }, perm).data,
});

export const timesBlock = (length: Dim | undefined, by: number): Dim => multiplyDims([length ?? 1, by]);
