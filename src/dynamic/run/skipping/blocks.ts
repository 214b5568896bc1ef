/** @file Finds the work that each gate skips: its branch, and where the graph allows it the sum
 *  with the shortcut and the activation behind it. Convolution, sum and activation then stay one
 *  fused kernel. */
import { consumers, type Graph, type Node, producers, type ValueName } from "../../../graph/graph.js";
import { branchNodes, gateProduct } from "../../model/gates.js";
import type { Gate } from "../../model/units.js";

/** What skipping reads of a gate. */
export type SkippedGate = Pick<Gate, "value" | "branch">;

/** A block that runs only for samples whose gate is open. */
export interface GatedBlock {
  /** The nodes in order, without the product with the gate's value. */
  readonly nodes: readonly Node[];
  /** The last value of the block. All readers of the block read it. */
  readonly output: ValueName;
  /** What makes the block's value for a closed gate. */
  readonly closed: Closed;
  /** One element per sample, bool or float: whether the gate is open. */
  readonly open: ValueName;
}

/** The value of a block whose gate is closed: the shortcut as it is, the shortcut behind
 * the block's activation, or zeros where the block ends with its product. */
export type Closed =
  | { readonly kind: "same" | "relu"; readonly shortcut: ValueName }
  | { readonly kind: "zeros"; readonly shape: readonly number[] };

interface Ends {
  readonly readers: ReadonlyMap<ValueName, readonly Node[]>;
  readonly makers: ReadonlyMap<ValueName, Node>;
  readonly outputs: ReadonlySet<ValueName>;
  /** Nodes that earlier blocks hold. */
  readonly taken: Set<Node>;
}

/** The blocks of the gates whose products the graph holds, in the order of the gates.
 * @param graph with types, in the masked form */
export function gatedBlocks(graph: Graph, gates: readonly SkippedGate[]): GatedBlock[] {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const ends: Ends = { readers: consumers(graph), makers: producers(graph), outputs, taken: new Set() };
  return gates.flatMap((gate) => {
    const product = gateProduct(graph, gate);
    const block = product && blockOf(graph, gate, product, ends);
    return block ? [block] : [];
  });
}

function blockOf(graph: Graph, gate: SkippedGate, product: Node, ends: Ends): GatedBlock | undefined {
  const within = branchNodes(graph, gate, [...ends.outputs]);
  const branch = graph.nodes.filter((node) => within.has(node));
  const open = openValue(graph, gate, ends);
  const sum = sumOf(graph, product, ends);
  if (sum === undefined) return zeroed(graph, product, { branch, last: gate.branch, open });
  const relu = onlyReader(sum.node, ends);
  const activation = relu?.opType === "Relu" ? [relu] : [];
  for (const node of [sum.node, ...activation]) ends.taken.add(node);
  const plain = activation.length === 0 || ends.makers.get(sum.shortcut)?.opType === "Relu";
  return {
    nodes: [...branch, withInput(sum.node, product.outputs[0], gate.branch), ...activation],
    output: (activation[0] ?? sum.node).outputs[0],
    closed: { kind: plain ? "same" : "relu", shortcut: sum.shortcut },
    open,
  };
}

/** The sum that alone reads a gate's product. Its other summand is the shortcut, which has the
 * shape of the sum. */
function sumOf(
  { types }: Graph,
  product: Node,
  ends: Ends,
): { readonly node: Node; readonly shortcut: ValueName } | undefined {
  const [gated] = product.outputs;
  const node = onlyReader(product, ends);
  const shortcut = node?.inputs.find((name) => name !== gated);
  if (node?.opType !== "Add" || shortcut === undefined || ends.taken.has(node)) return undefined;
  const shapeOf = (name: ValueName): string | undefined => types.get(name)?.shape.join();
  return shapeOf(shortcut) === shapeOf(node.outputs[0]) ? { node, shortcut } : undefined;
}

/** A block that ends with its product. Undefined where the branch has no row per sample of the
 * product's size. Such a branch stays in the masked form. */
function zeroed(
  { types }: Graph,
  product: Node,
  { branch, last, open }: { readonly branch: readonly Node[]; readonly last: ValueName; readonly open: ValueName },
): GatedBlock | undefined {
  const output = product.outputs[0];
  const [own, whole] = [types.get(last)?.shape ?? [], types.get(output)?.shape ?? []];
  const shape = whole.slice(1).filter((d): d is number => typeof d === "number");
  if (own.join() !== whole.join() || shape.length !== whole.length - 1) return undefined;
  const end: Node = { ...product, opType: "Identity", inputs: [last], attributes: {} };
  return { nodes: [...branch, end], output, closed: { kind: "zeros", shape }, open };
}

const withInput = (node: Node, from: ValueName, to: ValueName): Node => ({
  ...node,
  inputs: node.inputs.map((name) => (name === from ? to : name)),
});

/** The node that alone reads a node's value. */
function onlyReader({ outputs: [name] }: Node, { readers, outputs }: Ends): Node | undefined {
  const found = readers.get(name) ?? [];
  return found.length === 1 && !outputs.has(name) ? found[0] : undefined;
}

/** The comparison that a gate's value is made of, or else the value itself. Fewer small operators
 * then run. */
function openValue({ types }: Graph, { value }: SkippedGate, { makers }: Ends): ValueName {
  let name = value;
  for (let node = makers.get(name); node?.opType === "Reshape" || node?.opType === "Cast"; node = makers.get(name))
    name = node.inputs[0];
  const type = types.get(name);
  return type?.dtype === "bool" && type.shape.length === 1 ? name : value;
}
