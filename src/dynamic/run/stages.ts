/** @file Cuts a dynamic model into stages, one for each exit. Stage k computes the nodes that exit
 *  k needs and that earlier stages have not computed. Every weight of the backbone is in exactly
 *  one stage. This works for any network with exits. At a legal cut, one value alone goes from
 *  stage to stage. */
import { sizeOf } from "../../core/shape.js";
import { batchOf, type Graph, type Node, producers, type ValueInfo, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { opTable } from "../../ops/table.js";
import type { DynamicModel, Exit, Gate } from "../model/model.js";
import { scoredGates } from "../model/scores.js";

/** The work between one exit and the next. */
export interface Stage {
  /** Its inputs are the hidden values that it reads (in the first stage: the image). Its outputs
   * are the exit's logits and the hidden values that later stages read. All have one row per
   * sample. */
  readonly graph: Graph;
  /** The value that holds the exit's logits, [n, classes]. */
  readonly logits: ValueName;
  /** Hidden values that later stages need of a sample that goes on. This stage or earlier stages
   * made them. */
  readonly kept: readonly ValueName[];
  /** The gates whose scores this stage computes. Its outputs include the scores. */
  readonly gates: readonly StageGate[];
}

/** A gate's number in the model, and its score. */
export interface StageGate extends Pick<Gate, "score" | "threshold"> {
  readonly gate: number;
}

/** A graph to cut, and the values that its stages end with. */
export interface StagedGraph extends Pick<DynamicModel, "graph">, Partial<Pick<DynamicModel, "gates">> {
  /** The logits of each exit, in order. */
  readonly exits: readonly Pick<Exit, "logits">[];
}

/** Cuts a model at its exits. Values without a row per sample (mostly shapes) are computed again in
 * each stage that reads them. */
export function splitStages({ graph, exits, gates = [] }: StagedGraph): Stage[] {
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
    const scored = scoredGates({ gates }).filter(([, { score }]) => own.has(score));
    const scores = scored.map(([, { score }]) => score);
    const outputs = [...new Set([logits, ...later.filter((name) => own.has(name)), ...scores])];
    return {
      graph: stageGraph({ ...graph, name: `${graph.name}/stage${k}` }, nodes, reads, outputs),
      logits,
      kept: later.filter((name) => known.has(name)),
      gates: scored.map(([gate, { score, threshold }]) => ({ gate, score, threshold })),
    };
  });
}

/** The number of elements in one sample's row of a hidden value.
 * @param info an input of a stage */
export const rowSize = ({ shape }: Pick<ValueInfo, "shape">): number => sizeOf((shape ?? []).slice(1) as number[]);

const hasRows = ({ types, inputs }: Graph, name: ValueName): boolean =>
  types.get(name)?.shape[0] === batchOf({ inputs });

/** The nodes in front of an exit that earlier stages have not computed, and the hidden values that
 * they read. */
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
