/** @file Attaches halting to the stages of a residual network. A block of a stage runs while the
 *  halting shares of the blocks before it sum up to at most 1 - EPSILON. The stage's output is the
 *  sum of the blocks' outputs, each with its share. Sources: Graves 2016; Figurnov et al. 2017,
 *  section 3.1 (equations 5 to 9). */
import { GraphBuilder } from "../../graph/builder.js";
import { consumers, type Graph, type Node, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { haltingHead } from "../../nn/gates/halting.js";
import type { Scope } from "../../nn/layers.js";
import { opTable } from "../../ops/table.js";
import { appendGate, featureOf, type GatedGraph, scopeOf, type TrainedGate } from "./attach.js";
import { gateSites, type NamedBlock, namedBlocks } from "./sites.js";

/** What a stage may leave undone. A stage of one block can then halt at once. */
export const EPSILON = 0.01;

/** Blocks of one size in a row. The first one always runs. */
interface Stage {
  /** Output of the first block. */
  readonly first: ValueName;
  /** The blocks behind it. */
  readonly blocks: readonly NamedBlock[];
  /** Output of the last block. */
  readonly last: ValueName;
}

/** Puts halting on each stage of at least two blocks. A block that has halted keeps its stage's
 * value as it is, so its branch could be skipped.
 * @throws DynnError 'training/config' when the network has no such stage */
export function attachHalting(source: Graph, { seed = 0 }: { readonly seed?: number | undefined } = {}): GatedGraph {
  const graph = inferShapes(source, opTable);
  const stages = stagesOf(graph);
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const writers = stages.map((stage, i) => new StageWriter({ b, seed, path: "" }, graph, stage, i));
  for (const node of graph.nodes) if (!writers.some((writer) => writer.take(node))) b.append(node);
  return { graph: inferShapes(b.build(), opTable), gates: writers.flatMap(({ gates }) => gates) };
}

/** @throws DynnError 'training/config' */
function stagesOf(graph: Graph): Stage[] {
  const gated = new Set(gateSites(graph, "same-size").map(({ sum }) => sum));
  const [groups, outputs] = [[] as NamedBlock[][], outputsOf(graph)];
  for (const block of namedBlocks(graph)) {
    const current = groups.at(-1);
    const before = current?.at(-1);
    if (current && before && gated.has(block.sum) && outputs(before.sum) === block.input) current.push(block);
    else groups.push([block]);
  }
  return groups
    .filter((group) => group.length > 1)
    .map(([, ...blocks]) => ({
      first: blocks[0].input,
      blocks,
      last: outputs((blocks.at(-1) as NamedBlock).sum),
    }));
}

/** The output of a block: its sum, or the activation that alone reads the sum. */
function outputsOf(graph: Graph): (sum: ValueName) => ValueName {
  const readers = consumers(graph);
  return (sum) => {
    const [only, ...more] = readers.get(sum) ?? [];
    return only?.opType === "Relu" && more.length === 0 ? only.outputs[0] : sum;
  };
}

/** Writes the blocks of one stage, and its output after the last one. */
class StageWriter {
  readonly gates: TrainedGate[] = [];
  readonly #at: Scope;
  readonly #graph: Graph;
  readonly #stage: Stage;
  readonly #index: number;
  readonly #sites: ReadonlyMap<ValueName, NamedBlock>;
  /** Share that the stage has left in front of the next block, [n]. Undefined: all. */
  #left: ValueName | undefined;
  /** 1 for samples that the last block ran for, [n]. Undefined: all. */
  #active: ValueName | undefined;
  /** Sum of the blocks' outputs with their shares, [n,c,h,w]. */
  #sum: ValueName | undefined;

  constructor(at: Scope, graph: Graph, stage: Stage, index: number) {
    this.#at = at;
    this.#graph = graph;
    this.#stage = stage;
    this.#index = index;
    this.#sites = new Map(stage.blocks.map((block) => [block.sum, block]));
  }

  /** Appends a node if this stage changes it. */
  take(node: Node): boolean {
    const site = this.#sites.get(node.outputs[0]);
    const ends = node.outputs[0] === this.#stage.last;
    if (!site && !ends) return false;
    const { b } = this.#at;
    const own = ends ? { ...node, outputs: [b.fresh(`${node.outputs[0]}.unit`)] } : node;
    if (site) this.#gate(own, site);
    else b.append(own);
    if (ends) this.#end(own.outputs[0]);
    return true;
  }

  /** The head behind the block before decides about this block. */
  #gate(node: Node, site: NamedBlock): void {
    const { b } = this.#at;
    const halting = haltingHead(scopeOf(this.#at, site), featureOf(this.#graph, site.input));
    const share = b.op("Reshape", [halting.value, b.ints([-1])], {}, `${site.name}.gate.share`);
    const left = b.op("Sub", [this.#left ?? b.scalar(1), share], {}, `${site.name}.gate.left`);
    const score = b.op("Sub", [left, b.scalar(EPSILON)], {}, `${site.name}.gate.score`);
    const gate = appendGate(b, node, site, score);
    this.gates.push({ ...gate, stage: this.#index });
    const active = b.op("Reshape", [gate.value, b.ints([-1])]);
    const part = this.#part(site.input, this.#weight(active, share));
    this.#sum = this.#sum === undefined ? part : b.op("Add", [this.#sum, part]);
    [this.#left, this.#active] = [left, active];
  }

  /** The share of the block before: its halting share where the stage goes on, and all that is left
   * where it was the last to run.
   * @param next 1 where the next block runs */
  #weight(next: ValueName, share: ValueName): ValueName {
    const { b } = this.#at;
    const stops = b.op("Sub", [this.#active ?? b.scalar(1), next]);
    const rest = this.#left === undefined ? stops : b.op("Mul", [stops, this.#left]);
    return b.op("Add", [rest, b.op("Mul", [next, share])]);
  }

  #part(output: ValueName, weight: ValueName): ValueName {
    const { b } = this.#at;
    return b.op("Mul", [output, b.op("Reshape", [weight, b.ints([-1, 1, 1, 1])])]);
  }

  /** The last block takes all that is left. The stage's output has the name that the last block's
   * output had. */
  #end(output: ValueName): void {
    const { b } = this.#at;
    const part = this.#part(output, b.op("Mul", [this.#active as ValueName, this.#left as ValueName]));
    const inputs = [this.#sum as ValueName, part];
    b.append({ opType: "Add", domain: "", name: "", inputs, outputs: [this.#stage.last], attributes: {} });
  }
}
