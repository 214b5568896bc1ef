/** @file A dynamic model cut into stages, one for each exit: stage k computes what exit k needs and earlier stages have not computed.
 *  Every weight of the backbone is in exactly one stage. Works for any network with exits; where one value separates all before from all
 *  after (a legal cut), that value alone goes from stage to stage. */
import { sizeOf } from "../../core/shape.js";
import { type Graph, type Node, producers, type ValueInfo, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { DynamicModel, Exit } from "../model/model.js";

/** The work between one exit and the next. */
export interface Stage {
  /** Takes the hidden values that it reads (the image, in the first stage); gives the exit's logits and the hidden values that later
   *  stages read. All have one row per sample. */
  readonly graph: Graph;
  /** The value that holds the exit's logits, [n, classes]. */
  readonly logits: ValueName;
  /** Hidden values that a sample takes along when it goes on from here, made by this stage or by earlier ones. */
  readonly kept: readonly ValueName[];
}

/** What is cut: a graph, and the values that its stages end with. */
export interface StagedGraph extends Pick<DynamicModel, "graph"> {
  /** The logits of each exit, in order. */
  readonly exits: readonly Pick<Exit, "logits">[];
}

/** Cut a model at its exits. Values without a row per sample (shapes, mostly) are computed again in each stage that reads them. */
export function splitStages({ graph, exits }: StagedGraph): Stage[] {
  const input = graph.inputs[0];
  const rows = new Set<ValueName>([input.name]);
  const cuts = exits.map(({ logits }) => {
    const cut = nodesBehind(graph, logits, rows);
    for (const name of cut.nodes.flatMap((node) => node.outputs)) if (hasRows(graph, name)) rows.add(name);
    return { ...cut, logits, rows: new Set(rows) };
  });
  return cuts.map(({ nodes, reads, logits, rows: known }, k) => {
    const later = [...new Set(cuts.slice(k + 1).flatMap((cut) => cut.reads))];
    const own = new Set(nodes.flatMap((node) => node.outputs));
    const outputs = [...new Set([logits, ...later.filter((name) => own.has(name))])];
    return {
      graph: stageGraph({ ...graph, name: `${graph.name}/stage${k}` }, nodes, reads, outputs),
      logits,
      kept: later.filter((name) => known.has(name)),
    };
  });
}

/** Numbers that one sample's row of a hidden value holds.
 * @param info an input of a stage */
export const rowSize = ({ shape }: Pick<ValueInfo, "shape">): number => sizeOf((shape ?? []).slice(1) as number[]);

const hasRows = ({ types }: Graph, name: ValueName): boolean => types.get(name)?.shape[0] === "n";

/** The nodes behind an exit that are not done yet, and the hidden values they start from. */
function nodesBehind(
  graph: Graph,
  logits: ValueName,
  done: ReadonlySet<ValueName>,
): { readonly nodes: readonly Node[]; readonly reads: readonly ValueName[] } {
  const last = producers(graph).get(logits);
  const wanted = new Set([logits]);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const asked = node.outputs.filter((name) => wanted.has(name));
    if (asked.length === 0 || (node !== last && asked.every((name) => done.has(name)))) continue;
    nodes.unshift(node);
    for (const name of node.inputs) if (name) wanted.add(name);
  }
  const own = new Set(nodes.flatMap((node) => node.outputs));
  return { nodes, reads: [...wanted].filter((name) => done.has(name) && !own.has(name)) };
}

function stageGraph(
  graph: Graph,
  nodes: readonly Node[],
  inputs: readonly ValueName[],
  outputs: readonly ValueName[],
): Graph {
  const info = (name: ValueName): ValueInfo => {
    const type = graph.types.get(name);
    return { name, dtype: type?.dtype ?? "float32", shape: type?.shape };
  };
  const cut = { ...graph, nodes, inputs: inputs.map(info), outputs: outputs.map(info) };
  return inferShapes(prune(cut), opTable);
}
