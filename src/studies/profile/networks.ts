/** @file The static network of the same weights, which a profile compares with. */
import { backboneOf } from "../../dynamic/model/exits.js";
import type { DynamicModel, Exit } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import { macsOf, nodeMacs, parameterCount } from "../../graph/cost.js";
import { opTable } from "../../ops/table.js";
import { ALWAYS_OPEN } from "../../schema/policy.js";

/** The model up to its final exit alone, with every block. The heads of early exits and the
 * networks of gates are neither computed nor counted.
 * @throws DynnError 'shape/unknown' */
export function staticOf(model: DynamicModel): DynamicModel {
  const open = { thresholds: model.gates.map(() => ALWAYS_OPEN) };
  const graph = backboneOf(underPolicy(model, { gates: open }).graph);
  const final = model.exits.at(-1) as Exit;
  const macs = macsOf(graph, [final.logits], nodeMacs(graph, opTable));
  return {
    ...model,
    graph,
    exits: [{ ...final, macs, baseMacs: macs, costFraction: 1 }],
    gates: [],
    parameters: parameterCount(graph),
    policy: undefined,
  };
}
