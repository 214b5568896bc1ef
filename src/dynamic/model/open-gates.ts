/** @file The full network: every gate is open that its policy does not force closed. */
import { producers, type ValueName } from "../../graph/graph.js";
import { ALWAYS_OPEN } from "../../schema/policy.js";
import { gateProduct, simplifyKeeping } from "./gates.js";
import type { DynamicModel } from "./model.js";
import { scoredGates } from "./scores.js";

/** The products of gates and branches, each with its branch. Only gates that ask their scores. */
export const openProducts = (model: Pick<DynamicModel, "graph" | "gates">): ReadonlyMap<ValueName, ValueName> =>
  new Map(
    scoredGates(model).flatMap(([, gate]) => {
      const product = gateProduct(model.graph, gate);
      return product ? [[product.outputs[0], gate.branch] as const] : [];
    }),
  );

/** The network with all gates open. Gates that its policy forces stay as they are. A network in
 * which no gate asks its score stays the same.
 * @example
 * const full = openGates(underPolicy(model, policy));
 * const forward = await Forward.compile(full, { backend: ortNode() }); */
export function openGates(model: DynamicModel): DynamicModel {
  const asked = new Set(scoredGates(model).map(([k]) => k));
  if (asked.size === 0) return model;
  const { graph } = model;
  const made = producers(graph);
  const open = new Map([...openProducts(model)].map(([product, branch]) => [made.get(product), branch]));
  const nodes = graph.nodes.map((node) => {
    const branch = open.get(node);
    return branch === undefined ? node : { ...node, opType: "Identity", inputs: [branch], attributes: {} };
  });
  const gates = model.gates.map((gate, k) => (asked.has(k) ? { ...gate, threshold: ALWAYS_OPEN } : gate));
  return { ...model, gates, graph: simplifyKeeping({ ...graph, nodes, types: new Map() }, []) };
}
