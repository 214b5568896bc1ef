/** @file Families with attention: ViT, Swin, token pruning, attention by Einsum, a spatial transformer. */
import { fromNumbers } from "../../../src/core/tensor.js";
import { int, ints, string } from "../../../src/graph/attributes.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { reduce, slice, unsqueeze } from "../../../src/ops/support/emit.js";
import type { Draw, Net } from "./net.js";

/** [n,h,w,c] as windows of 2x2 tokens [n*4,4,c], and back. */
const windows = (net: Net, x: ValueName, c: number) =>
  net.op("Reshape", [net.transpose(net.view(x, [2, 2, 2, 2, c]), 0, 1, 3, 2, 4, 5), net.b.ints([-1, 4, c])]);
const merged = (net: Net, x: ValueName, c: number) => {
  const grid = net.op("Reshape", [x, net.b.ints([-1, 2, 2, 2, 2, c])]);
  return net.op("Reshape", [net.transpose(grid, 0, 1, 3, 2, 4, 5), net.b.ints([-1, 4, 4, c])]);
};

/** A shifted window block with relative position bias, and patch merging. */
export const swin: Draw = (net, x) => drawSwin(net, x, (v) => v);

/** As torchvision exports it in training mode: Dropout of ratio 0 that is switched on. */
export const swinInTrainingMode: Draw = (net, x) =>
  drawSwin(net, x, (v) => net.op("Dropout", [v, net.b.scalar(0), net.b.scalar(1, "bool")]));

function drawSwin(net: Net, x: ValueName, dropped: (v: ValueName) => ValueName): ValueName {
  const c = 4;
  const patches = net.transpose(net.conv(x, 3, c, 3, { stride: 2 }), 0, 2, 3, 1);
  const table = net.weights([9, 2]);
  const index = net.b.constant(fromNumbers("int64", [16], [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]));
  const picked = net.op("Reshape", [net.op("Gather", [table, index], { axis: int(0) }), net.b.ints([4, 4, 2])]);
  const bias = unsqueeze(net.b, net.transpose(picked, 2, 0, 1), [0]);
  const shifted = net.roll(net.roll(net.layerNorm(patches, c), -1, 1), -1, 2);
  const attended = dropped(net.attention(windows(net, shifted, c), 4, c, (scores) => net.op("Add", [scores, bias])));
  const back = net.roll(net.roll(merged(net, attended, c), 1, 1), 1, 2);
  const h = net.op("Add", [patches, back]);
  const part = (row: number, column: number) =>
    slice(net.b, h, { starts: [row, column], ends: [2 ** 31 - 1, 2 ** 31 - 1], axes: [1, 2], steps: [2, 2] });
  const quarters = [part(0, 0), part(1, 0), part(0, 1), part(1, 1)];
  const smaller = net.dense(net.layerNorm(net.op("Concat", quarters, { axis: int(-1) }), 4 * c), 4 * c, c);
  return net.dense(reduce(net.b, "ReduceMean", smaller, [1, 2], false), c, 4);
}

export const vit: Draw = (net, x) => {
  const c = 6;
  const patches = net.op("Conv", [x, net.weights([c, 3, 4, 4], 0.2)], { strides: ints([4, 4]) });
  const tokens = net.transpose(net.view(patches, [c, 4]), 0, 2, 1);
  const token = net.op("Expand", [net.weights([1, 1, c]), net.list(net.length(x, 0), [1, c])]);
  let h = net.op("Add", [net.op("Concat", [token, tokens], { axis: int(1) }), net.weights([1, 5, c], 0.3)]);
  h = net.op("Add", [h, net.attention(net.layerNorm(h, c), 5, c)]);
  h = net.op("Add", [h, net.dense(net.gelu(net.dense(net.layerNorm(h, c), c, 12)), 12, c)]);
  return net.dense(net.op("Gather", [net.layerNorm(h, c), net.b.scalar(0, "int64")], { axis: int(1) }), c, 4);
};

/** Tokens that the class token looks at least are dropped (EViT): TopK and GatherElements. */
export const tokenPruning: Draw = (net, x) => {
  const c = 4;
  const tokens = net.transpose(net.view(net.conv(x, 3, c, 3, { stride: 2 }), [c, 16]), 0, 2, 1);
  const scores = net.op("Softmax", [net.op("Squeeze", [net.dense(tokens, c, 1), net.b.ints([-1])])], { axis: int(-1) });
  const [weights, index] = net.b.ops("TopK", [scores, net.b.ints([5])], 2, { axis: int(-1) }) as [ValueName, ValueName];
  const wide = net.op("Expand", [unsqueeze(net.b, index, [-1]), net.b.ints([1, 1, c])]);
  const kept = net.op("GatherElements", [tokens, wide], { axis: int(1) });
  const weighed = net.op("Mul", [kept, unsqueeze(net.b, weights, [-1])]);
  return net.dense(reduce(net.b, "ReduceMean", net.gelu(weighed), [1], false), c, 4);
};

/** Attention over positions by Einsum (BoTNet), normalized descriptors (NetVLAD). */
export const einsumNet: Draw = (net, x) => {
  const h = net.view(net.conv(x, 3, 4, 3, { stride: 2 }), [2, 2, 16]);
  const scores = net.op("Einsum", [h, h], { equation: string("bhdi, bhdj -> bhij") });
  const shares = net.op("Softmax", [scores], { axis: int(-1) });
  const mixed = net.op("Einsum", [shares, h], { equation: string("bhij,bhdj->bihd") });
  const features = net.op("LpNormalization", [net.view(mixed, [64])], { axis: int(-1), p: int(2) });
  return net.dense(features, 64, 4);
};

/** A spatial transformer: the image read at points that it chooses itself. */
export const spatialTransformer: Draw = (net, x) => {
  const theta = net.op("Tanh", [net.head(net.conv(x, 3, 4, 3), 4)]);
  const base = net.b.constant(fromNumbers("float32", [1, 4, 2], [-0.7, -0.6, 0.5, -0.4, -0.3, 0.6, 0.7, 0.45]));
  const matrix = net.op("Reshape", [theta, net.b.ints([-1, 2, 2])]);
  const grid = net.view(net.op("MatMul", [base, matrix]), [2, 2, 2]);
  return net.dense(net.op("Flatten", [net.op("GridSample", [x, grid], { padding_mode: string("border") })]), 12, 4);
};
