/** @file Keeps images in blocked layout through a whole graph, gradients included. ONNX Runtime does that by itself only around
 *  convolutions whose weights are constants; a training step's are inputs, and its plain convolutions run at half the speed.
 *  Nothing but time changes: every rule is the operator it replaces, in another layout. */
import type { Graph } from "../../graph/graph.js";
import { add, batchNormalization, multiply, relu } from "./affine.js";
import { conv, convTranspose } from "./convolution.js";
import { ELEMENTWISE, elementwise } from "./elementwise.js";
import { Layout } from "./layout.js";
import { concat, pad, reshape, slice, transpose } from "./movement.js";
import { pool, reduction } from "./reductions.js";
import type { Rule } from "./rule.js";

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries([...ELEMENTWISE].map((type) => [type, elementwise])),
  Mul: multiply,
  Add: add,
  Relu: relu,
  Conv: conv,
  ConvTranspose: convTranspose,
  BatchNormalization: batchNormalization,
  ReduceMean: reduction(true),
  ReduceSum: reduction(false),
  Pad: pad,
  Slice: slice,
  Transpose: transpose,
  Reshape: reshape,
  Concat: concat,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: pool,
};

/** @param graph with types inferred
 *  @param block channels in a block on this machine */
export function blockedLayout(graph: Graph, block: number): Graph {
  const l = new Layout(graph, block);
  for (const node of graph.nodes) {
    if (node.domain === "" && RULES[node.opType]?.(l, node)) continue;
    for (const name of node.inputs) if (name) l.plain(name);
    l.push(node);
    for (const name of node.outputs) if (name) l.madePlain(name);
  }
  return l.build();
}
