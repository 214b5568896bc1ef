/** @file Finds the gradients of convolution weights in a graph: a Conv of X and dY with batch and
 *  channels swapped, as the gradient rule of Conv writes it.
 *  Without the blocked layout ONNX Runtime is slow at such a Conv (12-62 GFLOP/s on 2 cores), so
 *  matrix products replace it (30-81). */
import { isStatic, type Shape } from "../core/shape.js";
import { attribute } from "../graph/attributes.js";
import { GraphBuilder } from "../graph/builder.js";
import { type Graph, type Node, producers, type ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { prune } from "../graph/passes/prune.js";
import { byProducts } from "../ops/support/kernel-products.js";
import { opTable } from "../ops/table.js";

type Pair = readonly [number, number];

/** dW [outputs, channels, ...kernel]. For every tap it is the sum over samples and outputs of dY
 * times the pixel of X that the tap read. */
export interface KernelGradient {
  readonly conv: Node;
  /** [batch, channels, ...image] */
  readonly x: ValueName;
  /** [batch, outputs, ...windows] */
  readonly dy: ValueName;
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly image: Pair;
  readonly windows: Pair;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly before: Pair;
  readonly after: Pair;
}

/** The known facts about the values of a graph. */
export interface Values {
  /** The node that makes a value. */
  readonly maker: (name: ValueName) => Node | undefined;
  readonly shape: (name: ValueName) => Shape;
}

/** Whether a node swaps the first two axes of images. */
export const isSwap = (node: Node | undefined): node is Node =>
  node?.opType === "Transpose" && node.domain === "" && attribute(node, "perm", "ints")?.join() === "1,0,2,3";

/** The gradient that a node makes, when the node is the last one of a gradient. */
export function kernelGradientAt(node: Node, { maker, shape }: Values): KernelGradient | undefined {
  const conv = isSwap(node) ? maker(node.inputs[0]) : undefined;
  const [fromX, fromDy] = (conv?.inputs ?? []).map(maker);
  if (!isPlainConv(conv) || !isSwap(fromX) || !isSwap(fromDy)) return undefined;
  const [x, dy] = [fromX.inputs[0], fromDy.inputs[0]] as [ValueName, ValueName];
  const [xs, ys, taps] = [x, dy, conv.outputs[0]].map(shape) as [Shape, Shape, Shape];
  if (![xs, ys, taps].every((known) => known.length === 4 && isStatic(known))) return undefined;
  const pads = attribute(conv, "pads", "ints") ?? [0, 0, 0, 0];
  return {
    conv,
    x,
    dy,
    batch: xs[0] as number,
    channels: xs[1] as number,
    outputs: ys[1] as number,
    image: pair(xs.slice(2)),
    windows: pair(ys.slice(2)),
    kernel: pair(taps.slice(2)),
    strides: pair(attribute(conv, "dilations", "ints") ?? [1, 1]),
    dilations: pair(attribute(conv, "strides", "ints") ?? [1, 1]),
    before: pair(pads.slice(0, 2)),
    after: pair(pads.slice(2)),
  };
}

const pair = (numbers: Shape): Pair => numbers as unknown as Pair;

const isPlainConv = (node: Node | undefined): node is Node =>
  node?.opType === "Conv" &&
  node.domain === "" &&
  node.inputs.length === 2 &&
  (attribute(node, "group", "int") ?? 1) === 1 &&
  (attribute(node, "auto_pad", "string") ?? "NOTSET") === "NOTSET";

/** Replaces the convolutions that make gradients of weights by matrix products.
 * @param graph with types inferred
 * @param stays whether a gradient stays a convolution */
export function lowerKernelGradients(graph: Graph, stays: (gradient: KernelGradient) => boolean = () => false): Graph {
  const makers = producers(graph);
  const values: Values = { maker: (name) => makers.get(name), shape: (name) => graph.types.get(name)?.shape ?? ["?"] };
  const found = graph.nodes.map((node) => kernelGradientAt(node, values));
  const lowered = found.map((gradient) => gradient && !stays(gradient));
  if (!lowered.some(Boolean)) return graph;
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  graph.nodes.forEach((node, i) => {
    const made = lowered[i] ? products(b, found[i] as KernelGradient) : undefined;
    b.append(made === undefined ? node : { ...node, opType: "Identity", inputs: [made], attributes: {} });
  });
  return inferShapes(prune(b.build()), opTable);
}

const products = (b: GraphBuilder, g: KernelGradient): ValueName =>
  byProducts(
    {
      node: g.conv,
      b,
      window: { ...g, ceil: false },
      groups: 1,
      x: g.x,
      xShape: [g.batch, g.channels, ...g.image],
      yShape: [g.batch, g.outputs, ...g.windows],
    },
    g.dy,
  );
