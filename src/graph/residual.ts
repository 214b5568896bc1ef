/** @file Finds residual blocks: sums of a shortcut and of a branch that has all the work. A gate
 *  can skip such a branch. Source: He et al., "Deep residual learning", CVPR 2016, section 3.2. */
import { nodeMacs } from "./cost.js";
import { findCuts } from "./cuts.js";
import { ancestors, consumers, descendants, type Graph, type Node, type ValueName } from "./graph.js";
import { inferShapes } from "./infer.js";
import type { OpTable } from "./op.js";

/** A residual block of a classifier. */
export interface ResidualBlock {
  /** The value that both sides of the block read, [n,c,h,w]. */
  readonly input: ValueName;
  /** The output of the branch. Nothing but the sum reads it. */
  readonly branch: ValueName;
  /** The sum of branch and shortcut. */
  readonly sum: ValueName;
  /** MACs of the branch for one sample. */
  readonly macs: number;
  /** Whether the shortcut is the block's input itself. Else it changes the size. */
  readonly identity: boolean;
}

/** The residual blocks on the way from the first input to the last output, in order.
 * @throws DynnError 'shape/unknown' when a size that the cost needs is not known */
export function findResidualBlocks(source: Graph, ops: OpTable): ResidualBlock[] {
  const graph = inferShapes(source, ops);
  const [input, output] = [graph.inputs[0]?.name, graph.outputs.at(-1)?.name];
  if (input === undefined || output === undefined) return [];
  const cuts = [input, ...findCuts(graph, input, output)];
  const find = new Finder(graph, cuts, ops);
  return ancestors(graph, [output]).flatMap((node) => find.blockOf(node) ?? []);
}

class Finder {
  readonly #graph: Graph;
  readonly #cuts: readonly ValueName[];
  readonly #costs: ReadonlyMap<Node, number>;
  readonly #readers: ReadonlyMap<ValueName, readonly Node[]>;
  readonly #made: ReadonlyMap<ValueName, number>;

  constructor(graph: Graph, cuts: readonly ValueName[], ops: OpTable) {
    this.#graph = graph;
    this.#cuts = cuts;
    this.#costs = nodeMacs(graph, ops);
    this.#readers = consumers(graph);
    this.#made = new Map(graph.nodes.flatMap((node, i) => node.outputs.map((name) => [name, i] as const)));
  }

  /** The block whose sum is this node. Undefined for any other node. */
  blockOf(node: Node): ResidualBlock | undefined {
    if (node.opType !== "Add" || !node.inputs.every((name) => this.#isImage(name, node))) return undefined;
    const [sum] = node.outputs as [ValueName];
    const input = this.#before(sum);
    if (input === undefined) return undefined;
    const costs = node.inputs.map((name) => this.#macsBetween(input, name));
    const [a, b] = node.inputs as [ValueName, ValueName];
    const [branch, shortcut, macs] = costs[0] >= costs[1] ? [a, b, costs[0]] : [b, a, costs[1]];
    if (macs === 0 || a === b || !this.#isOwn(branch)) return undefined;
    return { input, branch, sum, macs, identity: shortcut === input };
  }

  #isImage(name: ValueName, { outputs }: Node): boolean {
    const [own, sum] = [name, outputs[0]].map((value) => this.#graph.types.get(value)?.shape ?? []);
    return own.length === 4 && own.every((d, i) => d === sum[i]) && this.#made.has(name);
  }

  /** The last cut in front of a value. */
  #before(value: ValueName): ValueName | undefined {
    const at = this.#made.get(value) as number;
    return this.#cuts.findLast((cut) => (this.#made.get(cut) ?? -1) < at);
  }

  /** MACs of the nodes between two values. */
  #macsBetween(from: ValueName, to: ValueName): number {
    const behind = descendants(this.#graph, [from]);
    return ancestors(this.#graph, [to])
      .filter((node) => node.outputs.some((name) => behind.has(name) && name !== from))
      .reduce((sum, node) => sum + (this.#costs.get(node) ?? 0), 0);
  }

  /** Whether the sum is all that reads a value. */
  #isOwn(name: ValueName): boolean {
    return this.#readers.get(name)?.length === 1 && !this.#graph.outputs.some((output) => output.name === name);
  }
}
