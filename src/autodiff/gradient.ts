/** @file Reverse-mode differentiation, graph to graph: appends the nodes that compute vector-Jacobian products.
 *  Every rule lives with its operator; this file only walks the graph backwards and adds contributions up.
 *  Source: Griewank & Walther 2008, section 3.2 (reverse mode). */
import { isFloat } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import { ancestors, descendants, type Graph, type Node, type ValueName } from "../graph/graph.js";
import { constantOf, inferShapes } from "../graph/infer.js";
import { GRAPH_LIMITS, grownFrom, tooLarge } from "../graph/limits.js";
import type { OpTable, VjpContext } from "../graph/op.js";
import { prune } from "../graph/passes/prune.js";

/** Which vector-Jacobian product is appended. */
export interface VjpRequest {
  /** For each output value: the value that holds the gradient of the loss with respect to it (same shape). */
  readonly seeds: ReadonlyMap<ValueName, ValueName>;
  /** Values to differentiate with respect to. */
  readonly wrt: readonly ValueName[];
  /** Values that count as constants: no gradient passes through them (a teacher's logits, for one). */
  readonly constants?: ReadonlySet<ValueName> | undefined;
}

/** Append the vector-Jacobian product to the graph in `b`.
 * @param b       a builder made from `graph`, with the seeds added as inputs, constants or nodes
 * @param graph   the forward graph, with types inferred
 * @returns for each value of `wrt` the name of its gradient, absent where no seed depends on it
 * @throws DynnError 'gradient/none' when an operator on the way has no gradient, 'model/limit' */
export function appendVjp(b: GraphBuilder, graph: Graph, ops: OpTable, request: VjpRequest): Map<ValueName, ValueName> {
  const active = floatDescendants(graph, request.wrt, request.constants);
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
  return new Map(
    request.wrt.flatMap((name) => (grads.has(name) ? [[name, grads.get(name) as ValueName] as const] : [])),
  );
}

/** @throws DynnError 'model/limit' when the gradient that was built for the nodes from the last to this one is too large */
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

/** Values of float type that depend on `sources` through float values only, none of them constant: integers carry no gradient. */
const floatDescendants = (
  graph: Graph,
  sources: readonly ValueName[],
  constants: ReadonlySet<ValueName> = new Set(),
): Set<ValueName> =>
  descendants(graph, sources, (name) => !constants.has(name) && isFloat(graph.types.get(name)?.dtype ?? "float32"));

function ruleOf(ops: OpTable, node: Node): (ctx: VjpContext) => readonly (ValueName | undefined)[] {
  const { vjp } = ops.get(node);
  if (typeof vjp === "function") return vjp;
  throw new DynnError(
    "gradient/none",
    `${showNode(node)}: ${node.opType} has no gradient: ${vjp.none}. Attack or train a part of the model that does not pass through it.`,
    { opType: node.opType, node: node.name },
  );
}

const vjpContext = (
  b: GraphBuilder,
  graph: Graph,
  node: Node,
  grads: ReadonlyMap<ValueName, ValueName>,
  active: ReadonlySet<ValueName>,
): VjpContext => ({
  node,
  opset: graph.opset,
  b,
  inputs: node.inputs.map((name) => (name ? graph.types.get(name) : undefined)),
  outputs: node.outputs.map((name) => graph.types.get(name) ?? { dtype: "float32", shape: [] }),
  grads: node.outputs.map((name) => grads.get(name)),
  needs: (i) => active.has(node.inputs[i]),
  constant: (i) => constantOf(graph, node.inputs[i], graph.types),
});

/** A graph that also returns gradients of a per-sample loss: outputs are `keep`, then `loss`, then one gradient per `wrt`.
 * @param graph forward graph with inferred types; `loss` is a float value of any shape (its sum is differentiated)
 * @param request names: names for the gradient outputs, one per `wrt`; `constants` as in {@link VjpRequest}
 * @returns     a pruned, shape-inferred graph
 * @throws DynnError 'gradient/none' when the loss does not depend on a value of `wrt` */
export function gradientGraph(
  graph: Graph,
  ops: OpTable,
  request: {
    readonly loss: ValueName;
    readonly wrt: readonly ValueName[];
    readonly names: readonly string[];
    readonly keep: readonly ValueName[];
    readonly constants?: ReadonlySet<ValueName> | undefined;
  },
): Graph {
  const b = new GraphBuilder(graph);
  const lossType = graph.types.get(request.loss);
  if (!lossType) throw new Error(`bug: no type inferred for the loss "${request.loss}"`);
  // The caller's names are taken before any node of ours can have them.
  const outputs = request.wrt.map((name, i) => b.fresh(request.names[i] ?? `grad_${name}`));
  const one = b.scalar(1, lossType.dtype);
  const seed = lossType.shape.length === 0 ? one : b.op("Expand", [one, b.op("Shape", [request.loss])], {}, "seed");
  const grads = appendVjp(b, graph, ops, { seeds: new Map([[request.loss, seed]]), ...request });
  b.clearOutputs();
  for (const name of new Set([...request.keep, request.loss]))
    b.output(name, graph.types.get(name)?.dtype ?? "float32", graph.types.get(name)?.shape);
  request.wrt.forEach((name, i) => {
    const grad = grads.get(name);
    if (grad === undefined)
      throw new DynnError(
        "gradient/none",
        `gradient of "${request.loss}": it does not depend on "${name}". Choose a loss computed from that input.`,
        { loss: request.loss, wrt: name },
      );
    const type = graph.types.get(name);
    const output = outputs[i];
    b.append({ opType: "Identity", domain: "", name: "", inputs: [grad], outputs: [output], attributes: {} });
    b.output(output, type?.dtype ?? "float32", type?.shape);
  });
  return inferShapes(prune(b.build()), ops);
}
