/** @file What shape and gradient rules know of integer inputs (axes, shapes, pads), and names for lengths nobody knows. */
import { DynnError } from "../../core/errors.js";
import { type Dim, isStatic, type Shape } from "../../core/shape.js";
import { attribute, showNode } from "../../graph/attributes.js";
import type { Node, ValueType } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";

interface Context {
  readonly node: Node;
  readonly inputs: readonly (ValueType | undefined)[];
}

/** Elements of input i; names of dimensions may be among them. */
export const elements = (ctx: Context, i: number): readonly Dim[] | undefined => ctx.inputs[i]?.value;

/** Elements of input i when all are numbers. */
export function numbers(ctx: Context, i: number): readonly number[] | undefined {
  const found = elements(ctx, i);
  return found && isStatic(found) ? found : undefined;
}

/** Elements of input i, which must be known numbers.
 * @throws DynnError 'shape/unknown' */
export function requiredNumbers(ctx: Context, i: number, what: string): readonly number[] {
  const found = numbers(ctx, i);
  if (found) return found;
  throw unknown(ctx.node, `${what} (input ${i}) must be known before running`);
}

export const unknown = (node: Node, text: string): DynnError =>
  new DynnError("shape/unknown", `${showNode(node)}: ${text}. Export the model with constant shapes.`, {
    node: node.name,
  });

/** A gradient rule that holds for some attributes only says so with this. */
export const noGradient = (node: Node, reason: string): DynnError =>
  new DynnError("gradient/none", `${showNode(node)}: no gradient: ${reason}.`, { node: node.name });

/** The name of an unknown length: the same each time the graph is inferred, and no product. */
export const unknownDim = (node: Node, axis: number, output = 0): string =>
  `${node.outputs[output] ?? node.name}.${axis}`.replaceAll("*", "·");

/** A list that is an attribute in old opsets and input i in new ones.
 * @param listed the elements of the input, when there is one */
export const listed = (
  node: Node,
  name: string,
  fromInput: ArrayLike<number> | undefined,
): readonly number[] | undefined => (fromInput ? Array.from(fromInput) : attribute(node, name, "ints"));

/** Axes as 0..rank-1.
 * @throws DynnError 'shape/mismatch' when one lies outside or comes twice */
export function axesIn(node: Node, axes: readonly number[], rank: number): readonly number[] {
  const normal = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (
    normal.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank) &&
    new Set(normal).size === axes.length
  )
    return normal;
  throw mismatch(
    node,
    `axes [${axes}] do not fit a tensor of rank ${rank}. Use distinct axes from ${-rank} to ${rank - 1}.`,
    { axes, rank },
  );
}

/** The attribute `axis` as 0..rank-1. */
export const axisOf = (node: Node, rank: number, fallback: number): number =>
  axesIn(node, [attribute(node, "axis", "int") ?? fallback], rank)[0];

/** The one length that several inputs share along an axis: a number wins over a name. */
export function sameDim(node: Node, dims: Shape): Dim {
  const lengths = new Set(dims.filter((d) => typeof d === "number"));
  if (lengths.size > 1)
    throw mismatch(node, `lengths ${[...lengths].join(" and ")} should be equal. Give inputs of one shape.`, {
      lengths: [...lengths],
    });
  return [...lengths][0] ?? dims[0];
}
