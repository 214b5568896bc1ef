/** @file What a graph may ask for at most. A file of a few bytes can name lengths, ranks and repeats without end; these limits hold
 *  before anything is allocated for them. docs/security.md lists them.
 *  Sources: ONNX states no limits; protobuf, ONNX Runtime and 32-bit lengths set the scale. */
import { byteSize } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { type Dim, type Dims, type Shape, showShape } from "../core/shape.js";
import { showNode } from "./attributes.js";
import type { Graph, Node, ValueType } from "./graph.js";

export const GRAPH_LIMITS = {
  /** Axes of a tensor. */
  rank: 64,
  /** Length of an axis. */
  dim: 2 ** 31 - 1,
  /** Bytes of one value, where a named length counts as 1. */
  valueBytes: 2 ** 32,
  /** Inputs, and outputs, of one node. */
  nodeValues: 4096,
  /** Characters of a name. */
  name: 4096,
  /** Characters of a dimension's name that shape rules have put together. */
  dimName: 512,
  /** Bytes of all that is computed from constants alone: these, and the multiple of the constants that the file holds. */
  constantBytes: 2 ** 28,
  constantGrowth: 16,
  /** Multiply-accumulates spent on it. */
  constantMacs: 2 ** 33,
  /** Bytes of the constants that a gradient adds, with the same multiple. */
  gradientBytes: 2 ** 26,
  /** Nodes of a graph together with those of its gradient; the largest networks in use have 5000 to 8000. */
  gradientNodes: 2 ** 14,
} as const;

/** What may come of the constants that a graph holds: `bytes`, and a multiple of theirs. */
export function grownFrom({ initializers }: Pick<Graph, "initializers">, bytes: number): number {
  const held = [...initializers.values()].reduce((sum, t) => sum + t.data.byteLength, 0);
  return bytes + GRAPH_LIMITS.constantGrowth * held;
}

/** Number of elements with every length of 0 taken for 1: what walks over single axes cost, even when nothing is in the tensor. */
export const volume = (dims: Dims): number => dims.reduce((product, d) => product * Math.max(1, d), 1);

/** Volume of a shape in bytes; a named length counts as 1. */
export const bytesOf = ({ dtype, shape }: ValueType): number =>
  byteSize(dtype) * volume(shape.map((d) => (typeof d === "number" ? d : 1)));

/** The type that a shape rule gave output `i`, with a short name in place of each dimension's that has grown too long.
 * @throws DynnError 'shape/mismatch' when a length is no whole number from 0 up, 'model/limit' */
export function checkedType(node: Node, i: number, type: ValueType): ValueType {
  const wrong = type.shape.find((d) => typeof d !== "string" && !(Number.isInteger(d) && d >= 0));
  if (wrong !== undefined || type.shape.includes(undefined as unknown as Dim))
    throw new DynnError(
      "shape/mismatch",
      `${showNode(node)}: output ${i} would have shape ${showShape(type.shape)}, which holds ${wrong}. Export the model again.`,
      { node: node.name, shape: type.shape },
    );
  const long = type.shape.some((d) => typeof d === "number" && d > GRAPH_LIMITS.dim);
  if (type.shape.length > GRAPH_LIMITS.rank || long || bytesOf(type) > GRAPH_LIMITS.valueBytes)
    throw tooLarge(
      showNode(node),
      `output ${i} of type ${type.dtype} would have ${type.shape.length > GRAPH_LIMITS.rank ? `rank ${type.shape.length}` : `shape ${showShape(type.shape)}`}`,
      `rank ${GRAPH_LIMITS.rank}, lengths of ${GRAPH_LIMITS.dim} and ${GRAPH_LIMITS.valueBytes} bytes`,
    );
  return hasLongName(type.shape) || hasLongName(type.value ?? []) ? shortened(node, i, type) : type;
}

const hasLongName = (dims: Shape): boolean =>
  dims.some((d) => typeof d === "string" && d.length > GRAPH_LIMITS.dimName);

/** A name made from the output's, as for lengths that nobody knows; elements with such names are forgotten. */
function shortened(node: Node, i: number, { dtype, shape, value }: ValueType): ValueType {
  const short = (d: Dim, axis: number): Dim =>
    typeof d === "string" && d.length > GRAPH_LIMITS.dimName ? `${node.outputs[i]}.${axis}`.replaceAll("*", "·") : d;
  return { dtype, shape: shape.map(short), ...(value && !hasLongName(value) && { value }) };
}

/** What is refused for being too large. */
export const tooLarge = (where: string, what: string, limit: string): DynnError =>
  new DynnError(
    "model/limit",
    `${where}: ${what}, more than the limit of ${limit}. Use a smaller model; if this one is meant to be so large, dynn cannot run it.`,
    {},
  );
