/** @file The largest sizes that a graph may have. A file of a few bytes can state huge lengths,
 *  ranks and repeats. dynn checks these limits before it allocates memory for them.
 *  docs/security.md lists the limits. Sources: ONNX states no limits; protobuf, ONNX Runtime and
 *  32-bit lengths set the scale. */
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
  /** Bytes of one value. A named length counts as 1. */
  valueBytes: 2 ** 32,
  /** Number of inputs of one node, and number of its outputs. */
  nodeValues: 4096,
  /** Characters of a name. */
  name: 4096,
  /** Characters of a dimension's name that shape rules have composed. */
  dimName: 512,
  /** Bytes of all values computed from constants alone. A multiple of the bytes of the file's
   * constants is added. */
  constantBytes: 2 ** 28,
  constantGrowth: 16,
  /** Multiply-accumulates spent on computing these values. */
  constantMacs: 2 ** 33,
  /** Bytes of the constants that a gradient adds. The same multiple is added. */
  gradientBytes: 2 ** 26,
  /** Nodes of a graph plus the nodes of its gradient. The largest networks in use have 5000 to
   * 8000. */
  gradientNodes: 2 ** 14,
} as const;

/** The limit for values computed from a graph's constants: `bytes`, plus a multiple of the bytes
 * of the constants. */
export function grownFrom({ initializers }: Pick<Graph, "initializers">, bytes: number): number {
  const held = [...initializers.values()].reduce((sum, t) => sum + t.data.byteLength, 0);
  return bytes + GRAPH_LIMITS.constantGrowth * held;
}

/** Number of elements, with every length of 0 counted as 1. Walks over single axes cost this
 * much even when the tensor is empty. */
export const volume = (dims: Dims): number => dims.reduce((product, d) => product * Math.max(1, d), 1);

/** Size of a shape in bytes. A named length counts as 1. */
export const bytesOf = ({ dtype, shape }: ValueType): number =>
  byteSize(dtype) * volume(shape.map((d) => (typeof d === "number" ? d : 1)));

/** The type that a shape rule gave output `i`, checked. Names of dimensions that have become too
 * long are replaced by short names.
 * @throws DynnError 'shape/mismatch' when a length is not a whole number from 0 up,
 *   'model/limit' */
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

/** The type with names made from the output's name, as for unknown lengths. Elements with too
 * long names are dropped. */
function shortened(node: Node, i: number, { dtype, shape, value }: ValueType): ValueType {
  const short = (d: Dim, axis: number): Dim =>
    typeof d === "string" && d.length > GRAPH_LIMITS.dimName ? `${node.outputs[i]}.${axis}`.replaceAll("*", "·") : d;
  return { dtype, shape: shape.map(short), ...(value && !hasLongName(value) && { value }) };
}

/** The error for a graph that is too large. */
export const tooLarge = (where: string, what: string, limit: string): DynnError =>
  new DynnError(
    "model/limit",
    `${where}: ${what}, more than the limit of ${limit}. Use a smaller model. dynn cannot run a model of this size.`,
    {},
  );
