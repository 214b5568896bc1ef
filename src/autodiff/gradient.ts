/** @file Reverse-mode differentiation from graph to graph: appends the nodes that compute
 *  vector-Jacobian products. Every rule is in its operator's file. This file walks the graph
 *  backwards and sums contributions. Source: Griewank & Walther 2008, section 3.2 (reverse
 *  mode). */
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import { ancestors, type Graph, type Node, type ValueName, type ValueType } from "../graph/graph.js";
import { constantOf, inferShapes } from "../graph/infer.js";
import { GRAPH_LIMITS, grownFrom, tooLarge } from "../graph/limits.js";
import type { OpTable, VjpContext } from "../graph/op.js";
import { prune } from "../graph/passes/prune.js";
import { cast } from "../ops/support/mask.js";
import { type ActiveValues, activeValues, type Reversed } from "./active.js";
import { independent } from "./path-end.js";

/** Which vector-Jacobian product is appended. */
export interface VjpRequest {
  /** For each output value: the value that holds the gradient of the loss with respect to it, of
   * the same shape. */
  readonly seeds: ReadonlyMap<ValueName, ValueName>;
  /** Values to differentiate with respect to. */
  readonly wrt: readonly ValueName[];
  /** Values that count as constants, such as a teacher's logits. No gradient passes through
   * them. */
  readonly constants?: ReadonlySet<ValueName> | undefined;
}

/** Appends the vector-Jacobian product to the graph in `b`.
 * @param b a builder made from `graph`, with the seeds added as inputs, constants or nodes
 * @param graph the forward graph, with types inferred
 * @returns for each value of `wrt` the name of its gradient; no entry when no seed depends on the
 *   value
 * @throws DynnError 'gradient/none' when an operator between seed and value has no gradient,
 *   'model/limit' */
export function appendVjp(b: GraphBuilder, graph: Graph, ops: OpTable, request: VjpRequest): Map<ValueName, ValueName> {
  const { grads } = reverse(b, graph, ops, request);
  return new Map(
    request.wrt.flatMap((name) => (grads.has(name) ? [[name, grads.get(name) as ValueName] as const] : [])),
  );
}

/** As {@link appendVjp}, with the gradients of all values.
 * @throws DynnError 'gradient/none', 'model/limit' */
export function reverse(b: GraphBuilder, graph: Graph, ops: OpTable, request: VjpRequest): Reversed {
  const active = activeValues(graph, ops, request.wrt, request.constants);
  const grads = new Map<ValueName, ValueName>();
  const add = (name: ValueName, grad: ValueName) => {
    const sofar = grads.get(name);
    grads.set(name, sofar === undefined ? grad : b.op("Add", [sofar, grad], {}, "grad"));
  };
  const room = b.addedBytes + grownFrom(graph, GRAPH_LIMITS.gradientBytes);
  for (const [output, seed] of request.seeds) add(output, seed);
  for (const node of ancestors(graph, request.seeds.keys()).reverse()) {
    if (!node.inputs.some((name) => active.has(name)) || !node.outputs.some((name) => grads.has(name))) continue;
    const contributions = ruleOf(ops, node)(vjpContext(b, graph, node, grads, active));
    checkRoom(b, node, room);
    contributions.forEach((grad, i) => {
      const input = node.inputs[i];
      if (input && grad !== undefined && active.has(input)) add(input, grad);
    });
  }
  return { grads, active };
}

/** @throws DynnError 'model/limit' when the gradient from the last node to this one is too large */
function checkRoom(b: GraphBuilder, node: Node, bytes: number): void {
  if (b.addedBytes > bytes)
    throw tooLarge(showNode(node), `the gradient up to here adds ${b.addedBytes} bytes of constants`, `${bytes} bytes`);
  const { gradientNodes } = GRAPH_LIMITS;
  if (b.nodeCount > gradientNodes)
    throw tooLarge(
      showNode(node),
      `with the gradient up to here the graph has ${b.nodeCount} nodes`,
      `${gradientNodes}`,
    );
}

function ruleOf(ops: OpTable, node: Node): (ctx: VjpContext) => readonly (ValueName | undefined)[] {
  const { vjp } = ops.get(node);
  if (typeof vjp === "function") return vjp;
  const advice = vjp.blocks
    ? 'Give the float model, or one with QuantizeLinear and DequantizeLinear around float operators. Or audit this one with the attacks "none"'
    : "Attack or train a part of the model that does not pass through it";
  throw new DynnError("gradient/none", `${showNode(node)}: ${node.opType} has no gradient: ${vjp.none}. ${advice}.`, {
    opType: node.opType,
    node: node.name,
    ...(vjp.blocks && { options: ["attacks"] }),
  });
}

/** What a rule may use. A rule sees integers that carry a gradient as floats of the same value. */
function vjpContext(
  b: GraphBuilder,
  graph: Graph,
  node: Node,
  grads: ReadonlyMap<ValueName, ValueName>,
  active: ActiveValues,
): VjpContext {
  const typeOf = (name: ValueName) => {
    const type = graph.types.get(name);
    const real = active.get(name);
    return type && real ? { ...type, dtype: real } : type;
  };
  const floatOf = (name: ValueName): ValueName => {
    const real = active.get(name);
    return real === undefined || graph.types.get(name)?.dtype === real ? name : cast(b, name, real);
  };
  return {
    node: { ...node, inputs: node.inputs.map(floatOf), outputs: node.outputs.map(floatOf) },
    opset: graph.opset,
    b,
    inputs: node.inputs.map((name) => (name ? typeOf(name) : undefined)),
    outputs: node.outputs.map((name) => typeOf(name) ?? { dtype: "float32", shape: [] }),
    grads: node.outputs.map((name) => grads.get(name)),
    needs: (i) => active.has(node.inputs[i]),
    constant: (i) => constantOf(graph, node.inputs[i], graph.types),
  };
}

/** A per-sample loss, and the names of its gradients. */
export interface NamedLoss {
  readonly loss: ValueName;
  /** Names for the gradient outputs, one per `wrt`. */
  readonly names: readonly string[];
}

/** What a graph with gradients gives. */
export interface GradientRequest {
  /** The values that gradients are taken of. */
  readonly wrt: readonly ValueName[];
  /** The forward values that stay outputs. */
  readonly keep: readonly ValueName[];
  /** Values without a gradient, as in {@link VjpRequest}. */
  readonly constants?: ReadonlySet<ValueName> | undefined;
}

/** A graph that also returns gradients of a per-sample loss. Its outputs are `keep`, then `loss`,
 * then one gradient per `wrt`.
 * @param graph forward graph with inferred types; `loss` is a float value of any shape, and its sum
 *   is differentiated
 * @param request names: names for the gradient outputs, one per `wrt`; `constants` as in
 *   {@link VjpRequest}
 * @returns a pruned, shape-inferred graph
 * @throws DynnError 'gradient/none' when the loss does not depend on a value of `wrt` */
export const gradientGraph = (graph: Graph, ops: OpTable, request: GradientRequest & NamedLoss): Graph =>
  gradientsGraph(graph, ops, [request], request);

/** As {@link gradientGraph}, for several losses that share the forward pass. The outputs are
 * `keep`, then the losses, then the gradients of one loss after the other.
 * @throws DynnError 'gradient/none' when a loss does not depend on a value of `wrt` */
export function gradientsGraph(
  graph: Graph,
  ops: OpTable,
  losses: readonly NamedLoss[],
  request: GradientRequest,
): Graph {
  const b = new GraphBuilder(graph);
  // The caller's names are reserved before dynn names any node.
  const outputs = losses.map(({ names }) => request.wrt.map((name, i) => b.fresh(names[i] ?? `grad_${name}`)));
  const reversed = losses.map(({ loss }) => reverse(b, graph, ops, { ...request, seeds: seedOf(b, graph, loss) }));
  b.clearOutputs();
  for (const name of new Set([...request.keep, ...losses.map(({ loss }) => loss)]))
    b.output(name, graph.types.get(name)?.dtype ?? "float32", graph.types.get(name)?.shape);
  losses.forEach(({ loss }, k) => {
    request.wrt.forEach((name, i) => {
      const grad = reversed[k].grads.get(name);
      if (grad === undefined)
        throw independent(graph, ops, reversed[k], {
          of: [loss],
          wrt: name,
          constants: request.constants,
          apart: `gradient of "${loss}": it does not depend on "${name}". Choose a loss computed from that input.`,
        });
      outputAs(b, grad, outputs[k][i], graph.types.get(name));
    });
  });
  return inferShapes(prune(b.build()), ops);
}

/** The derivative 1 of a loss, for each of its elements. */
function seedOf(b: GraphBuilder, graph: Graph, loss: ValueName): VjpRequest["seeds"] {
  const type = graph.types.get(loss);
  if (!type) throw new Error(`bug: no type inferred for the loss "${loss}"`);
  const one = b.scalar(1, type.dtype);
  const seed = type.shape.length === 0 ? one : b.op("Expand", [one, b.op("Shape", [loss])], {}, "seed");
  return new Map([[loss, seed]]);
}

/** Makes a value an output of the graph, under a name of its own. */
function outputAs(b: GraphBuilder, value: ValueName, output: ValueName, type: ValueType | undefined): void {
  b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [output], attributes: {} });
  b.output(output, type?.dtype ?? "float32", type?.shape);
}
