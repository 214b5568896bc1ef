/** @file Makes uint8 of int8 weights that meet uint8 activations. On x64 processors without VNNI,
 *  the 8-bit kernels of ONNX Runtime saturate for that pair, and not for two uint8 factors. */
import { fromNumbers, type Tensor, toNumbers } from "../core/tensor.js";
import { GraphBuilder } from "../graph/builder.js";
import { type Graph, type Node, subgraphs, type ValueName, type ValueType, withSubgraphs } from "../graph/graph.js";
import { distinctNames } from "../graph/scopes.js";

/** Where each operator has its activations, its weights and the zero points of the weights. */
const PLACES: Readonly<Record<string, readonly [number, number, number]>> = {
  ConvInteger: [0, 1, 3],
  MatMulInteger: [0, 1, 3],
  QGemm: [0, 3, 5],
  QLinearConv: [0, 3, 5],
  QLinearMatMul: [0, 3, 5],
};

/** Distance of uint8 from int8. */
const SHIFT = 128;

/** The values that a graph can read. A sub-graph also reads those of the graphs around it. */
interface Scope {
  readonly type: (name: ValueName) => ValueType | undefined;
  readonly constant: (name: ValueName) => Tensor | undefined;
}

const EMPTY: Scope = { type: () => undefined, constant: () => undefined };

const hasOne = ({ nodes }: Graph): boolean =>
  nodes.some((node) => Object.hasOwn(PLACES, node.opType) || subgraphs(node).some(hasOne));

/** Weights and zero points both rise by 128, so products stay what they are.
 * @param graph with types
 * @returns the graph; nodes whose weights or zero points are not constants stay */
export function unsignedWeights(graph: Graph): Graph {
  if (!hasOne(graph)) return graph;
  const changed = inGraph(graph, EMPTY);
  return changed.nodes.some((node) => subgraphs(node).length > 0) ? distinctNames(changed) : changed;
}

function inGraph(graph: Graph, outer: Scope): Graph {
  const scope: Scope = {
    type: (name) => graph.types.get(name) ?? outer.type(name),
    constant: (name) => graph.initializers.get(name) ?? outer.constant(name),
  };
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  for (const node of graph.nodes)
    b.append(withSubgraphs(raised(b, node, scope) ?? node, (inner) => inGraph(inner, scope)));
  return withoutUnread(b.build());
}

/** The node with uint8 weights, when it reads uint8 activations and constant int8 weights. */
function raised(b: GraphBuilder, node: Node, { type, constant }: Scope): Node | undefined {
  const places = Object.hasOwn(PLACES, node.opType) ? PLACES[node.opType] : undefined;
  if (!places) return undefined;
  const [x, w, zero] = places.map((i) => node.inputs[i] ?? "") as [ValueName, ValueName, ValueName];
  const weights = constant(w);
  const zeros = zero === "" ? fromNumbers("int8", [], [0]) : constant(zero);
  if (type(x)?.dtype !== "uint8" || weights?.dtype !== "int8" || !zeros) return undefined;
  const inputs = Array.from({ length: Math.max(node.inputs.length, places[2] + 1) }, (_, i) => node.inputs[i] ?? "");
  inputs[places[1]] = b.constant(shifted(weights), `${w}_unsigned`);
  inputs[places[2]] = b.constant(shifted(zeros), `${zero || w}_unsigned_zero`);
  return { ...node, inputs };
}

const shifted = (t: Tensor): Tensor =>
  fromNumbers(
    "uint8",
    t.dims,
    toNumbers(t).map((v) => v + SHIFT),
  );

/** The graph without the signed weights. Sub-graphs may read constants, so a graph with some keeps
 * them all. */
function withoutUnread(graph: Graph): Graph {
  if (graph.nodes.some((node) => subgraphs(node).length > 0)) return graph;
  const read = new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map((o) => o.name)]);
  return { ...graph, initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))) };
}
