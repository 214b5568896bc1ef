/** @file Derives the form of a network with gates that really skips. Each gate's block lies in the
 *  branch of an `If` that runs when a sample opens the gate. The `If`s stand in a row. For batches
 *  of several samples the block runs on the rows whose gate is open (Gather), and their results are
 *  put into place (ScatterND). The form uses standard operators only. */

import { ONNX_CODE } from "../../../core/dtype.js";
import type { Shape } from "../../../core/shape.js";
import { fromNumbers } from "../../../core/tensor.js";
import { int, tensorAttribute } from "../../../graph/attributes.js";
import { GraphBuilder } from "../../../graph/builder.js";
import { batchOf, consumers, type Graph, type Node, type ValueName, type ValueType } from "../../../graph/graph.js";
import { emptyGraph } from "../../../graph/op.js";
import { prune } from "../../../graph/passes/prune.js";
import { distinctNames, namesIn } from "../../../graph/scopes.js";
import { type GatedBlock, gatedBlocks, type SkippedGate } from "./blocks.js";
import { rowReads, rowShape } from "./rows.js";

/** The form of a graph that skips. */
export interface SkippingOptions {
  /** For batches of one sample only. Rows then need not be packed. */
  readonly single: boolean;
}

/** The graph with an `If` for each of the gates. A branch and its weights are in the sub-graph
 * that runs when the gate is open. Inputs and outputs stay. A graph without gates stays as it is.
 * @param graph with types, in the masked form:
 *  `output = Relu(Add(shortcut, Mul(branch, value)))` */
export function skipping(graph: Graph, gates: readonly SkippedGate[], { single }: SkippingOptions): Graph {
  const blocks = new Map(gatedBlocks(graph, gates).map((block) => [block.output, block]));
  if (blocks.size === 0) return graph;
  const within = new Set([...blocks.values()].flatMap(({ nodes }) => nodes.flatMap((node) => node.outputs)));
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of namesIn(graph)) b.reserve(name);
  for (const node of graph.nodes) {
    const block = blocks.get(node.outputs[0]);
    if (block) appendBlock({ graph, b, block, single }, [...blocks.keys()].indexOf(block.output));
    else if (!within.has(node.outputs[0])) b.append(node);
  }
  return distinctNames(prune(b.build()));
}

interface Place {
  readonly graph: Graph;
  readonly b: GraphBuilder;
  readonly block: GatedBlock;
  readonly single: boolean;
}

function appendBlock(place: Place, number: number): void {
  const { b, block, single } = place;
  const rows = single ? undefined : openRows(place);
  const condition = rows?.any ?? conditionOf(place);
  const then = rows ? packed(place, rows.numbers, `open${number}`) : alone(place);
  const branches = { then_branch: graphAttribute(then), else_branch: graphAttribute(closed(place)) };
  b.append({
    ...{ opType: "If", domain: "", name: "", inputs: [condition], outputs: [block.output] },
    attributes: branches,
  });
}

/** Whether the gate of a single sample is open. */
const conditionOf = ({ graph, b, block: { open } }: Place): ValueName =>
  graph.types.get(open)?.dtype === "bool" ? open : b.op("Cast", [open], { to: int(ONNX_CODE.bool) });

const graphAttribute = (value: Graph) => ({ kind: "graph", value }) as const;

/** The numbers of the rows whose gate is open, int64 [1, rows], and whether there are any. */
function openRows({ b, block, graph }: Place): { readonly numbers: ValueName; readonly any: ValueName } {
  const isFlat = graph.types.get(block.open)?.shape.length === 1;
  const flat = isFlat ? block.open : b.op("Reshape", [block.open, b.ints([-1])]);
  const numbers = b.op("NonZero", [flat]);
  return { numbers, any: b.op("Cast", [b.op("Size", [numbers])], { to: int(ONNX_CODE.bool) }) };
}

/** A builder for a branch. Its new names differ from all names of the graph around it. */
function inner({ graph, block }: Place, constants: boolean): GraphBuilder {
  const b = new GraphBuilder({
    ...emptyGraph(block.output, graph.opset),
    initializers: constants ? ownConstants(graph, block) : new Map(),
  });
  for (const name of namesIn(graph)) b.reserve(name);
  return b;
}

/** The constants that only the block reads. */
function ownConstants(graph: Graph, { nodes }: GatedBlock): Graph["initializers"] {
  const own = new Set(nodes.map((node) => node.outputs[0]));
  const readers = consumers(graph);
  const isOwn = (name: ValueName): boolean => (readers.get(name) ?? []).every((node) => own.has(node.outputs[0]));
  const read = new Set(nodes.flatMap((node) => node.inputs));
  return new Map([...graph.initializers].filter(([name]) => read.has(name) && isOwn(name)));
}

/** The block for a batch of one. */
function alone(place: Place): Graph {
  const { graph, block } = place;
  const b = inner(place, true);
  const output = appendNodes(b, graph, block.nodes, { rename: new Map(), shape: (shape) => shape });
  return ending(place, b, output);
}

/** The block for the open rows of a batch, with their values put among those of the other rows.
 * @param numbers int64 [1, rows]
 * @param count the name of the number of open rows */
function packed(place: Place, numbers: ValueName, count: string): Graph {
  const { graph, block } = place;
  const batch = batchOf(graph);
  const b = inner(place, true);
  const which = b.op("Reshape", [numbers, b.ints([-1])]);
  const shape = (whole: Shape): Shape => rowShape(whole, batch, count);
  const { nodes, reads } = rowReads(graph, block.nodes);
  const rename = new Map(reads.map((name) => [name, b.op("Gather", [name, which], { axis: int(0) }, `${name}/open`)]));
  for (const [name, at] of rename) b.setType(at, shaped(graph.types.get(name) as ValueType, shape));
  const rows = appendNodes(b, graph, nodes, { rename, shape });
  const places = b.op("Reshape", [numbers, b.ints([-1, 1])]);
  b.setType(places, { dtype: "int64", shape: [count, 1] });
  return ending(place, b, b.op("ScatterND", [closedValue(place, b), places, rows]));
}

/** Appends the nodes of a block. Its last value gets a name of its own, because the graph around
 * it has a value with the old name.
 * @returns the name of the last value */
function appendNodes(
  b: GraphBuilder,
  { types }: Graph,
  nodes: readonly Node[],
  { rename, shape }: { readonly rename: ReadonlyMap<ValueName, ValueName>; readonly shape: (whole: Shape) => Shape },
): ValueName {
  const last = (nodes.at(-1) as Node).outputs[0];
  const output = b.fresh(`${last}/open`);
  const here = (name: ValueName): ValueName => (name === last ? output : (rename.get(name) ?? name));
  for (const node of nodes) {
    b.append({ ...node, inputs: node.inputs.map(here), outputs: node.outputs.map(here) });
    for (const name of node.outputs) {
      const type = types.get(name);
      if (type) b.setType(here(name), shaped(type, shape));
    }
  }
  return output;
}

const shaped = ({ dtype, shape }: ValueType, change: (whole: Shape) => Shape): ValueType => ({
  dtype,
  shape: change(shape),
});

/** The branch for a batch without an open row. */
function closed(place: Place): Graph {
  const b = inner(place, false);
  const { closed } = place.block;
  const value = closedValue(place, b);
  return ending(place, b, closed.kind === "same" ? b.op("Identity", [value]) : value);
}

/** The block's value for all rows as closed gates have it. */
function closedValue({ graph, block, single }: Place, b: GraphBuilder): ValueName {
  const { closed, output } = block;
  if (closed.kind === "same") return closed.shortcut;
  const value = closed.kind === "zeros" ? zeros(b, block.open, closed.shape, single) : b.op("Relu", [closed.shortcut]);
  b.setType(value, graph.types.get(output) as ValueType);
  return value;
}

/** Zeros for every row of a batch. */
function zeros(b: GraphBuilder, like: ValueName, each: readonly number[], single: boolean): ValueName {
  const count = single ? b.ints([1]) : b.op("Shape", [b.op("Reshape", [like, b.ints([-1])])]);
  const shape = b.op("Concat", [count, b.ints(each)], { axis: int(0) });
  return b.op("ConstantOfShape", [shape], { value: tensorAttribute(fromNumbers("float32", [1], [0])) });
}

/** The branch with the block's value as its output. */
function ending({ graph, block }: Place, b: GraphBuilder, value: ValueName): Graph {
  const { dtype, shape } = graph.types.get(block.output) as ValueType;
  b.output(value, dtype, shape);
  b.setType(value, { dtype, shape });
  return b.build();
}
