/** @file The static network of the same weights, which a profile compares with. */
import { backboneOf } from "../../dynamic/model/exits.js";
import type { DynamicModel, Exit } from "../../dynamic/model/model.js";
import { macsOf, nodeMacs, parameterCount } from "../../graph/cost.js";
import { opTable } from "../../ops/table.js";

/** The model up to its final exit alone. The heads of early exits are neither computed nor counted.
 * @throws DynnError 'shape/unknown' */
export function staticOf(model: DynamicModel): DynamicModel {
  const graph = backboneOf(model.graph);
  const final = model.exits.at(-1) as Exit;
  const macs = macsOf(graph, [final.logits], nodeMacs(graph, opTable));
  return {
    ...model,
    graph,
    exits: [{ ...final, macs, costFraction: 1 }],
    parameters: parameterCount(graph),
    policy: undefined,
  };
}
