/** @file Puts the thresholds of gates into the graph. Moving one threshold changes later scores, so
 *  answers under other thresholds cannot be computed from known scores. A gate that its threshold
 *  forces is folded away: an open one leaves its branch, a closed one leaves its shortcut. */
import { showShape } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, Node, ValueName } from "../../graph/graph.js";
import { forcedBit, gateThresholds, type Policy } from "../../schema/policy.js";
import { checkGateThresholds } from "../route/policy.js";
import { gateProduct, gateValues, simplifyKeeping } from "./gates.js";
import type { DynamicModel } from "./model.js";
import type { Gate } from "./units.js";

/** The model as it runs under a policy. Names, costs and the order of its units stay. A model
 * without gates stays as it is, and so does a model that runs under these thresholds already.
 * @throws DynnError 'policy/value' when there is not one threshold for each gate
 * @example
 * const forward = await Forward.compile(underPolicy(model, policy), { backend: ortNode() });
 * const routed = route(await forward.logits(images, { batch: 64 }), policy); */
export function underPolicy(model: DynamicModel, policy: Pick<Policy, "gates">): DynamicModel {
  const { gates, name } = model;
  const thresholds = gateThresholds(policy, gates.length);
  checkGateThresholds(thresholds, gates.length, name);
  if (gates.every(({ threshold }, k) => threshold === thresholds[k])) return model;
  if (gates.some(({ threshold }) => threshold !== 0)) throw new Error("bug: the graph holds other thresholds already");
  const moved = gates.map((gate, k) => ({ ...gate, threshold: thresholds[k] }));
  return { ...model, gates: moved, graph: withThresholds(model.graph, moved) };
}

function withThresholds(graph: Graph, gates: readonly Gate[]): Graph {
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) b.reserve(name);
  const moved = new Map(gates.filter(({ threshold }) => threshold !== 0).map((gate) => [gate.score, gate]));
  const forced = forcedProducts(graph, gates);
  const compared = new Map<ValueName, ValueName>();
  for (const node of graph.nodes) {
    b.append(folded(graph, { ...node, inputs: node.inputs.map((name) => compared.get(name) ?? name) }, forced));
    for (const name of node.outputs) {
      const gate = moved.get(name);
      if (gate) compared.set(name, comparedScore(b, gate));
    }
  }
  const free = gates.filter(({ threshold }) => forcedBit(threshold) === undefined);
  return simplifyKeeping({ ...b.build(), types: new Map() }, gateValues(free));
}

/** What the graph compares with 0 in place of the score. In float32, x - t >= 0 exactly where
 * x >= t. */
function comparedScore(b: GraphBuilder, { score, threshold }: Gate): ValueName {
  const bit = forcedBit(threshold);
  if (bit === undefined) return b.op("Sub", [score, b.scalar(threshold)], {}, `${score}/compared`);
  return b.constant(fromNumbers("float32", [1], [bit ? 1 : -1]));
}

/** The product of each forced gate, with its branch for an open gate. */
function forcedProducts(graph: Graph, gates: readonly Gate[]): Map<ValueName, ValueName | undefined> {
  const products = new Map<ValueName, ValueName | undefined>();
  for (const gate of gates) {
    const [bit, product] = [forcedBit(gate.threshold), gateProduct(graph, gate)];
    if (bit !== undefined && product) products.set(product.outputs[0], bit ? gate.branch : undefined);
  }
  return products;
}

/** The node without work that forced gates decide: the product of an open gate is its branch, and a
 * sum with the product of a closed gate is the other summand. */
function folded(graph: Graph, node: Node, forced: ReadonlyMap<ValueName, ValueName | undefined>): Node {
  const [output] = node.outputs;
  const same = (input: ValueName): Node => ({ ...node, opType: "Identity", inputs: [input], attributes: {} });
  const branch = forced.get(output);
  if (branch !== undefined) return same(branch);
  const isClosed = (name: ValueName) => forced.has(name) && forced.get(name) === undefined;
  const other = node.opType === "Add" && node.inputs.some(isClosed) && node.inputs.find((name) => !isClosed(name));
  if (!other) return node;
  const shapeOf = (name: ValueName) => showShape(graph.types.get(name)?.shape);
  return shapeOf(other) === shapeOf(output) ? same(other) : node;
}
