/** @file Reads the units of a model off its graph: exits with their cuts, gates, and all costs. */
import { macsOf, nodeMacs } from "../../graph/cost.js";
import { findCuts } from "../../graph/cuts.js";
import { ancestors, type Graph, type ValueName } from "../../graph/graph.js";
import { opTable } from "../../ops/table.js";
import type { ModelMetadata } from "../../schema/metadata.js";
import { readGates, type StatedGates } from "./gates.js";
import type { Exit, Gate } from "./units.js";

/** The exits and the gates, with their costs.
 * @throws DynnError 'model/gates' */
export function unitsOf(
  graph: Graph,
  stated: Pick<ModelMetadata, "exits"> & { readonly gates: StatedGates },
  named: readonly ValueName[],
  name: string,
): { readonly exits: Exit[]; readonly gates: Gate[] } {
  const costs = nodeMacs(graph, opTable);
  const outputs = graph.outputs.map((o) => o.name);
  const gates = readGates(graph, stated.gates, { exits: outputs, costs, where: name });
  const full = macsOf(graph, outputs, costs);
  const cuts = cutsOf(graph, outputs.at(-1));
  const exits = outputs.map((logits, i) => {
    const macs = macsOf(graph, outputs.slice(0, i + 1), costs);
    return {
      name: stated.exits?.[i]?.name ?? named[i] ?? logits,
      logits,
      output: named[i] ?? logits,
      cut: i === outputs.length - 1 ? undefined : lastUsed(graph, logits, cuts),
      macs,
      baseMacs: gates.reduce((base, gate) => base - (gate.exit <= i ? gate.macs : 0), macs),
      costFraction: full > 0 ? macs / full : 1,
    };
  });
  return { exits, gates };
}

/** The values on all paths from the input to the final exit. */
const cutsOf = (graph: Graph, final: ValueName | undefined): readonly ValueName[] => {
  const input = graph.inputs[0]?.name;
  return input === undefined || final === undefined ? [] : findCuts(graph, input, final);
};

/** The last of the cuts that this exit depends on. */
function lastUsed(graph: Graph, exit: ValueName, cuts: readonly ValueName[]): ValueName | undefined {
  const used = new Set(ancestors(graph, [exit]).flatMap((node) => node.inputs));
  return cuts.findLast((cut) => used.has(cut));
}
