/** @file Folds per-channel affine maps (BatchNormalization at inference, a multiplication by constants) into the node before,
 *  where that node can absorb them (convolutions, Gemm). Operators say so themselves: `asAffine`, `absorbAffine`. */
import type { Tensor } from "../../core/tensor.js";
import { consumers, type Graph, type Node, type ValueName } from "../graph.js";
import { constantType, inferContext, withShapes } from "../infer.js";
import type { OpTable } from "../op.js";

/** Elements of constants that folding may write: this many, and a multiple of what the graph holds (each map rewrites the weights that
 *  it is folded into). */
const [WRITES, WRITES_PER_ELEMENT] = [2 ** 24, 8];

/** Fold once, front to back; a chain folds whole because each result takes its map's place. */
export function foldAffine(graph: Graph, ops: OpTable): Graph {
  const typed = withShapes(graph, ops);
  const folded = new Folding(typed, ops).run();
  return folded.nodes.length < typed.nodes.length ? folded : typed;
}

/** The graph while it is folded: one pass over the nodes, all else by look-up. */
class Folding {
  readonly #graph: Graph & { readonly initializers: Map<ValueName, Tensor> };
  readonly #ops: OpTable;
  readonly #nodes: (Node | undefined)[];
  /** Values that more than one node reads, or that leave the graph: their maker must stay. */
  readonly #shared: Set<ValueName>;
  /** Where each value is made, among `nodes`. */
  readonly #madeAt = new Map<ValueName, number>();
  /** Constants that this pass made. */
  readonly #made = new Set<ValueName>();
  #left: number;

  constructor(graph: Graph, ops: OpTable) {
    this.#graph = { ...graph, initializers: new Map(graph.initializers), types: new Map(graph.types) };
    this.#ops = ops;
    this.#nodes = [...graph.nodes];
    const many = [...consumers(graph)].filter(([, readers]) => readers.length > 1).map(([name]) => name);
    this.#shared = new Set([...many, ...graph.outputs.map((o) => o.name)]);
    graph.nodes.forEach((node, i) => {
      for (const name of node.outputs) this.#madeAt.set(name, i);
    });
    const held = [...graph.initializers.values()].reduce((sum, t) => sum + t.data.length, 0);
    this.#left = WRITES + WRITES_PER_ELEMENT * held;
  }

  run(): Graph {
    this.#graph.nodes.forEach((node, i) => this.#fold(node, i));
    return { ...this.#graph, nodes: this.#nodes.filter((node) => node !== undefined) };
  }

  #fold(node: Node, at: number): void {
    const source = node.inputs[0];
    const place = source && !this.#shared.has(source) ? this.#madeAt.get(source) : undefined;
    const before = place === undefined ? undefined : this.#nodes[place];
    const [absorb, asAffine] = [before && this.#ops.get(before).absorbAffine, this.#ops.get(node).asAffine];
    if (!before || place === undefined || !absorb || !asAffine || this.#left <= 0) return;
    if (before.outputs.length !== 1 || node.outputs.length !== 1) return;
    const affine = asAffine(inferContext(this.#graph, node, this.#graph.types));
    const constants = affine && absorb(inferContext(this.#graph, before, this.#graph.types), affine);
    if (!constants) return;
    this.#nodes[place] = undefined;
    this.#nodes[at] = this.#merged(before, node.outputs[0], constants);
  }

  /** `before` with new constants makes `output`. Constants that an earlier map of the chain made are forgotten. */
  #merged(before: Node, output: ValueName, constants: readonly (Tensor | undefined)[]): Node {
    const inputs = Array.from({ length: Math.max(before.inputs.length, constants.length) }, (_, i) => {
      const [value, old] = [constants[i], before.inputs[i] ?? ""];
      if (!value) return old;
      if (this.#made.delete(old)) this.#graph.initializers.delete(old);
      this.#left -= value.data.length;
      return this.#add(`${output}/folded${i}`, value);
    });
    return { ...before, inputs, outputs: [output] };
  }

  /** Stores a constant under a name that is free; the file may have taken the one that is wanted. */
  #add(wanted: ValueName, value: Tensor): ValueName {
    let name = wanted;
    while (this.#graph.types.has(name)) name += "'";
    this.#made.add(name);
    this.#graph.initializers.set(name, value);
    (this.#graph.types as Map<ValueName, ReturnType<typeof constantType>>).set(name, constantType(value));
    return name;
  }
}
