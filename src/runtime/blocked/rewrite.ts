/** @file Keeps images in blocked layout through a whole graph with its gradients.
 *  By itself, ONNX Runtime does so only around convolutions with constant weights. The weights of a
 *  training step are inputs, and its plain convolutions run at half the speed.
 *  Only the time changes: every rule gives the operator that it replaces, in another layout. */
import { type Graph, type Node, subgraphs, withSubgraphs } from "../../graph/graph.js";
import { distinctNames } from "../../graph/scopes.js";
import { lowerKernelGradients } from "../kernel-gradients.js";
import { ACTIVATIONS, activation } from "./activations.js";
import { add, batchNormalization, multiply } from "./affine.js";
import { conv, convTranspose } from "./convolution.js";
import { ELEMENTWISE, elementwise } from "./elementwise.js";
import { isWide, kernelGradient } from "./kernel-gradient.js";
import { Layout } from "./layout.js";
import { flatten, linear } from "./linear.js";
import { concat, pad, reshape, resize, rows, scatterRows, shape, slice, transpose } from "./movement.js";
import { pool, reduction } from "./reductions.js";
import type { Rule } from "./rule.js";

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries([...ELEMENTWISE].map((type) => [type, elementwise])),
  ...Object.fromEntries([...ACTIVATIONS.keys()].map((type) => [type, activation])),
  Mul: multiply,
  Add: add,
  Conv: conv,
  ConvTranspose: convTranspose,
  BatchNormalization: batchNormalization,
  ReduceMean: reduction(true),
  ReduceSum: reduction(false),
  Pad: pad,
  Slice: slice,
  Transpose: (l, node) => kernelGradient(l, node) || transpose(l, node),
  Reshape: reshape,
  Concat: concat,
  Compress: rows,
  Gather: rows,
  ScatterND: scatterRows,
  Resize: resize,
  Shape: shape,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: pool,
  Flatten: flatten,
  Gemm: linear,
  MatMul: linear,
};

/** @param graph with types stated, in its sub-graphs too
 * @param block channels in a block on this machine */
export const blockedLayout = (graph: Graph, block: number): Graph => {
  const rewritten = inBlocks(
    lowerKernelGradients(graph, (gradient) => isWide(gradient, block)),
    block,
  );
  return graph.nodes.some((node) => subgraphs(node).length > 0) ? distinctNames(rewritten) : rewritten;
};

const inBlocks = (graph: Graph, block: number): Graph => laidOut(graph, block).build();

/** The nodes of a graph in their layouts. The graph's outputs may still have either layout. */
function laidOut(graph: Graph, block: number, outer?: Layout): Layout {
  const l = new Layout(graph, block, outer);
  for (const node of graph.nodes) {
    if (node.domain === "" && RULES[node.opType]?.(l, node)) continue;
    const inputs = node.inputs.map((name) => name && l.plain(name));
    const branches = new Map(subgraphs(node).map((inner) => [inner, laidOut(inner, block, l)]));
    const stay = staysBlocked(l, node, [...branches.values()]);
    const outputs = node.outputs.map((name, k) => (stay[k] ? l.b.fresh(`${name}.blocked`) : name));
    l.push(withSubgraphs({ ...node, inputs, outputs }, (inner) => (branches.get(inner) as Layout).build(stay)));
    node.outputs.forEach((name, k) => {
      if (stay[k]) l.madeBlocked(name, outputs[k]);
      else if (name) l.madePlain(name);
    });
  }
  return l;
}

/** Which outputs of an `If` stay blocked: images that one of its branches has in blocks. The other
 * branch then reorders its own. */
const staysBlocked = (l: Layout, { opType, outputs }: Node, branches: readonly Layout[]): boolean[] =>
  outputs.map(
    (name, k) =>
      opType === "If" &&
      l.fits(name) &&
      l.isFloat(name) &&
      branches.some((inner) => inner.isBlocked(inner.graph.outputs[k].name)),
  );
