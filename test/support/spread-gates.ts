/** @file Networks with gates whose scores are spread, so that some gates of a batch are open and some are closed. */
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Graph } from "../../src/graph/graph.js";
import { resnet } from "../../src/nn/resnet.js";
import { random } from "./gradcheck.js";
import { CLASSES } from "./training.js";

/** The side of images. */
export const SIDE = 8;

/** A narrow ResNet; at depth 32 a stage has five blocks. */
export const narrow = (depth = 20): Graph =>
  resnet(depth)({ classes: CLASSES, imageSize: SIDE, width: 0.25, seed: 1 }).graph;

export const images = (rows: number, seed = 4): Tensor => {
  const dims = [rows, 3, SIDE, SIDE];
  return fromNumbers("float32", dims, toNumbers(random(dims, seed, 0, 1)));
};

/** The last layers of gates with larger weights and with biases around `bias`. Statistics of norms are moved away from 0 and 1 too. */
export function spread(graph: Graph, { bias, weight }: { readonly bias: number; readonly weight: number }): Graph {
  const moved = (t: Tensor, seed: number, middle: number, width: number): Tensor =>
    fromNumbers("float32", t.dims, toNumbers(random(t.dims, seed, middle - width, middle + width)));
  const change = (name: string, t: Tensor, seed: number): Tensor => {
    if (/\.gate\.(fc|fc2|score)\.weight$/.test(name)) return moved(t, seed, 0, weight);
    if (/\.gate\.(fc|fc2|score)\.bias$/.test(name)) return moved(t, seed, bias, 0.3);
    return t;
  };
  const initializers = [...graph.initializers].map(([name, t], seed) => [name, change(name, t, seed)] as const);
  return { ...graph, initializers: new Map(initializers) };
}
