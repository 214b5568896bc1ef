/** @file Nodes that hold the batch of a file as a number, opened for any batch. The sizes of every
 *  value at two batches show where the batch is. */
import { type Dims, isStatic, sizeOf } from "../../core/shape.js";
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Graph, Node, ValueName, ValueType } from "../../graph/graph.js";
import { constantOf, constantType, inferNode } from "../../graph/infer.js";
import type { OpTable } from "../../graph/op.js";
import { isOp } from "./adapter.js";

/** What is known while nodes are opened, one after the other. */
export interface Opening {
  readonly graph: Graph;
  readonly ops: OpTable;
  readonly b: GraphBuilder;
  /** Types at the batch of the file, of the nodes as they are. */
  readonly narrow: ReadonlyMap<ValueName, ValueType>;
  /** Types at a larger batch, of the nodes that are done. */
  readonly wide: Map<ValueName, ValueType>;
}

/** Puts a node, or its open form, into the new graph. Returns whether the node changed.
 * @throws DynnError of shape inference where a node holds the batch in another way */
export function openNode(opening: Opening, node: Node): boolean {
  const opened = openReshape(opening, node) ?? openConcat(opening, node);
  opening.b.append(opened ?? node);
  infer(opening, opened ?? node, opened !== undefined);
  return opened !== undefined;
}

/** Adds the types of a node's outputs, and those of constants that are new. */
function infer({ graph, ops, b, wide }: Opening, node: Node, isNew: boolean): void {
  const built = isNew ? { ...graph, initializers: b.build().initializers } : graph;
  for (const name of node.inputs) {
    const constant = built.initializers.get(name);
    if (constant) wide.set(name, constantType(constant));
  }
  inferNode(built, node, ops, wide);
}

const dimsAt = (types: ReadonlyMap<ValueName, ValueType>, name: ValueName): Dims | undefined => {
  const shape = types.get(name)?.shape;
  return shape && isStatic(shape) ? shape : undefined;
};

/** A Reshape to constant sizes gets -1 at the axis of the batch. The elements in front of that
 * axis are as many before the Reshape as after it. */
function openReshape({ graph, b, narrow, wide }: Opening, node: Node): Node | undefined {
  if (!isOp(node, "Reshape")) return undefined;
  const [x] = node.inputs;
  const [one, many, to] = [dimsAt(narrow, x), dimsAt(wide, x), dimsAt(narrow, node.outputs[0])];
  const target = constantOf(graph, node.inputs[1], wide);
  if (!one || !many || !to || !target || sizeOf(one) === sizeOf(many)) return undefined;
  const axis = one.findIndex((d, i) => d !== many[i]);
  const at = axisAfter(to, sizeOf(one.slice(0, axis)));
  if (at === undefined) return undefined;
  return { ...node, inputs: [x, b.ints(to.map((d, i) => (i === at ? -1 : d)))] };
}

/** The axis with this many elements in front of it: one of length 1 where there is one. */
function axisAfter(dims: Dims, before: number): number | undefined {
  const places = dims.flatMap((_, i) => (sizeOf(dims.slice(0, i)) === before ? [i] : []));
  return places.find((i) => dims[i] === 1) ?? places[0];
}

/** A constant of the file's batch beside a value of any batch (a class token) is expanded. */
function openConcat(opening: Opening, node: Node): Node | undefined {
  if (!isOp(node, "Concat")) return undefined;
  const shapes = node.inputs.map((name) => dimsAt(opening.wide, name));
  const along = node.attributes.axis?.kind === "int" ? node.attributes.axis.value : 0;
  const rank = shapes[0]?.length ?? 0;
  const most = Array.from({ length: rank }, (_, i) => Math.max(...shapes.map((s) => s?.[i] ?? 0)));
  const joined = along < 0 ? along + rank : along;
  const like = node.inputs.find((_, k) => shapes[k]?.every((d, i) => i === joined || d === most[i]));
  if (like === undefined || shapes.some((s) => s?.length !== rank)) return undefined;
  const inputs = node.inputs.map((name, k) => expanded(opening, name, { dims: shapes[k] ?? [], most, joined, like }));
  return inputs.some((name, i) => name !== node.inputs[i]) ? { ...node, inputs } : undefined;
}

interface Expansion {
  readonly dims: Dims;
  readonly most: Dims;
  readonly joined: number;
  readonly like: ValueName;
}

/** Expanded along the one axis that is 1 here and longer in `like`. */
function expanded(opening: Opening, x: ValueName, { dims, most, joined, like }: Expansion): ValueName {
  const { b } = opening;
  const short = dims.flatMap((d, i) => (i !== joined && d !== most[i] ? [i] : []));
  const [axis] = short;
  if (axis === undefined || short.length > 1 || dims[axis] !== 1) return x;
  const from = b.nodeCount;
  const batch = b.op("Gather", [b.op("Shape", [like]), b.ints([axis])], { axis: int(0) });
  const parts = dims.map((d, i) => (i === axis ? batch : b.ints([d])));
  const y = b.op("Expand", [x, b.op("Concat", parts, { axis: int(0) })]);
  for (const node of b.build().nodes.slice(from)) infer(opening, node, true);
  return y;
}
