/** @file Shape inference over a whole graph with named dimensions: the batch size stays a name.
 *  Inference computes the elements of small integer tensors, so shape arithmetic (Shape, Gather,
 *  Concat, Reshape) resolves. */

import { type Dim, type Dims, isStatic, type Shape } from "../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../core/tensor.js";
import { showNode } from "./attributes.js";
import type { Graph, Node, ValueInfo, ValueName, ValueType } from "./graph.js";
import { checkInputTypes } from "./input-types.js";
import { bytesOf, checkedType, GRAPH_LIMITS, grownFrom, tooLarge, volume } from "./limits.js";
import { macsOfNode } from "./node-macs.js";
import type { InferContext, OpDef, OpTable } from "./op.js";

/** Inference computes the elements of integer tensors with at most this many. */
const VALUE_LIMIT = 64;

/** The type of a constant. A small integer tensor has its elements in the type. */
export function constantType(t: Tensor): ValueType {
  const type = { dtype: t.dtype, shape: t.dims };
  const followed = (t.dtype === "int64" || t.dtype === "int32" || t.dtype === "bool") && t.data.length <= VALUE_LIMIT;
  return followed ? { ...type, value: [...toNumbers(t)] } : type;
}

/** Infers the type of every value.
 * @param fixed lengths for named dimensions of the inputs, e.g. { n: 1 }
 * @returns the graph with all `types` and with the shapes of outputs
 * @throws DynnError 'shape/mismatch', 'shape/unknown', 'model/op', 'model/limit'
 *   (graph/limits.ts) */
export function inferShapes(graph: Graph, ops: OpTable, fixed: Readonly<Record<string, number>> = {}): Graph {
  const types = new Map<ValueName, ValueType>();
  for (const [name, value] of graph.initializers) types.set(name, constantType(value));
  const inputs = graph.inputs.map((input) => ({
    ...input,
    shape: input.shape?.map((d) => (typeof d === "string" && Object.hasOwn(fixed, d) ? fixed[d] : d)),
  }));
  for (const input of inputs)
    if (!graph.initializers.has(input.name)) types.set(input.name, { dtype: input.dtype, shape: input.shape ?? [] });
  const constants = new ConstantRoom(graph);
  for (const node of graph.nodes) {
    inferNode(graph, node, ops, types);
    constants.take(node, ops, types);
  }
  const outputs = typedOutputs(graph, types);
  inferredFrom.set(types, { nodes: graph.nodes, inputs, initializers: graph.initializers, opset: graph.opset, ops });
  return { ...graph, inputs, outputs, types };
}

/** For each map of types, the graph parts that it was inferred from. Graphs do not change once
 * they are built, so the same parts give the same types. */
const inferredFrom = new WeakMap<
  Graph["types"],
  Pick<Graph, "nodes" | "inputs" | "initializers" | "opset"> & { ops: OpTable }
>();

/** The graph with the type of every value. Types from an earlier {@link inferShapes} are used again
 * when the graph is still the same.
 * @throws DynnError as {@link inferShapes} does */
export function withShapes(graph: Graph, ops: OpTable): Graph {
  const from = inferredFrom.get(graph.types);
  const same =
    from?.ops === ops &&
    from.nodes === graph.nodes &&
    from.inputs === graph.inputs &&
    from.initializers === graph.initializers &&
    from.opset === graph.opset;
  return same ? { ...graph, outputs: typedOutputs(graph, graph.types) } : inferShapes(graph, ops);
}

const typedOutputs = (graph: Graph, types: Graph["types"]): ValueInfo[] =>
  graph.outputs.map((output) => {
    const type = types.get(output.name);
    return type ? { name: output.name, dtype: type.dtype, shape: type.shape } : output;
  });

/** The facts that a shape rule may use about the inputs of a node. */
export const inferContext = (graph: Graph, node: Node, types: ReadonlyMap<ValueName, ValueType>): InferContext => ({
  node,
  opset: graph.opset,
  inputs: node.inputs.map((name) => (name ? types.get(name) : undefined)),
  constant: (i) => constantOf(graph, node.inputs[i], types),
});

/** The tensor of a value: an initializer, or an integer tensor whose elements inference knows. */
export function constantOf(
  graph: Graph,
  name: ValueName | undefined,
  types: ReadonlyMap<ValueName, ValueType>,
): Tensor | undefined {
  if (!name) return undefined;
  const stored = graph.initializers.get(name);
  if (stored) return stored;
  const type = types.get(name);
  if (!type?.value?.every((d) => typeof d === "number")) return undefined;
  return fromNumbers(type.dtype, type.shape as readonly number[], type.value);
}

/** Infers the outputs of one node from the types of the values before it, and adds them to `types`.
 * @throws DynnError as {@link inferShapes} does */
export function inferNode(graph: Graph, node: Node, ops: OpTable, types: Map<ValueName, ValueType>): void {
  const def = ops.get(node);
  const ctx = inferContext(graph, node, types);
  checkInputTypes(def, ctx);
  const outputs = def.infer(ctx);
  node.outputs.forEach((name, i) => {
    const type = outputs[i];
    if (name && type) types.set(name, typed(def, ctx, i, type));
  });
}

/** The type of output `i`, checked against the limits, with the elements of a small integer
 * output. */
function typed(def: OpDef, ctx: InferContext, i: number, type: ValueType): ValueType {
  const checked = checkedType(ctx.node, i, type);
  return i === 0 ? checkedType(ctx.node, i, withValue(def, ctx, checked)) : checked;
}

const isSmall = (shape: Shape): shape is Dims => isStatic(shape) && volume(shape) <= VALUE_LIMIT;

/** Adds the elements of a small integer output when they can be known. */
function withValue(def: OpDef, ctx: InferContext, type: ValueType): ValueType {
  if (type.value || type.dtype === "float32" || type.dtype === "float64" || !isSmall(type.shape)) return type;
  const value = def.propagate?.(ctx, type) ?? computed(def, ctx);
  return value && value.length === volume(type.shape) ? { ...type, value } : type;
}

/** The elements from the reference kernel, when all inputs are known numbers. */
function computed(def: OpDef, ctx: InferContext): readonly Dim[] | undefined {
  if (ctx.inputs.length === 0) return undefined;
  const values = ctx.inputs.map((type) => type?.value);
  if (!ctx.inputs.every((type, i) => !type || (isSmall(type.shape) && values[i]?.every((d) => typeof d === "number"))))
    return undefined;
  const arrays = ctx.inputs.map(
    (type, i) => type && { dims: type.shape as readonly number[], data: Float64Array.from(values[i] as number[]) },
  );
  const [out] = def.run(arrays, { node: ctx.node, opset: ctx.opset, inputTypes: ctx.inputs.map((t) => t?.dtype) });
  return out && [...out.data];
}

/** Counts what ONNX Runtime would compute from constants alone. ONNX Runtime does this when it
 * loads the graph, without a limit of its own. */
class ConstantRoom {
  readonly #known: Set<ValueName>;
  readonly #limit: number;
  #bytes = 0;
  #macs = 0;

  constructor(graph: Graph) {
    this.#known = new Set(graph.initializers.keys());
    this.#limit = grownFrom(graph, GRAPH_LIMITS.constantBytes);
  }

  /** @throws DynnError 'model/limit' */
  take(node: Node, ops: OpTable, types: ReadonlyMap<ValueName, ValueType>): void {
    const isKnown = (name: ValueName) =>
      !name || this.#known.has(name) || types.get(name)?.value?.every((d) => typeof d === "number") === true;
    if (!node.inputs.every(isKnown)) return;
    const outputs = node.outputs.flatMap((name) => types.get(name) ?? []);
    for (const name of node.outputs) this.#known.add(name);
    this.#bytes += outputs.reduce((sum, type) => sum + bytesOf(type), 0);
    this.#macs += macsOfNode(node, ops, types, () => 0);
    if (this.#bytes <= this.#limit && this.#macs <= GRAPH_LIMITS.constantMacs) return;
    throw tooLarge(
      showNode(node),
      `what is computed from constants up to here takes ${this.#bytes} bytes and ${this.#macs} multiply-accumulates`,
      `${this.#limit} bytes and ${GRAPH_LIMITS.constantMacs}`,
    );
  }
}
