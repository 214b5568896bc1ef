/** @file Transformers whose exports compute with shapes: Swin's padding and window mask, interpolated position embeddings, and
 *  Swin V2's cosine attention. */
import { fromNumbers } from "../../../src/core/tensor.js";
import { float, int, ints, string, tensorAttribute } from "../../../src/graph/attributes.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { reduce, slice, split, squeeze, unsqueeze } from "../../../src/ops/support/emit.js";
import type { Draw, Net } from "./net.js";

const END = 2 ** 31 - 1;
const WINDOW = 4;
const SHIFT = 2;
const C = 4;

/** The value as a list of one. */
const asList = (net: Net, v: number): ValueName => net.b.ints([v]);

/** (window - length % window) % window, and the length with it. */
function padding(net: Net, x: ValueName, axis: number): { pad: ValueName; padded: ValueName } {
  const length = net.length(x, axis);
  const left = net.op("Sub", [asList(net, WINDOW), net.op("Mod", [length, asList(net, WINDOW)])]);
  const pad = net.op("Mod", [left, asList(net, WINDOW)]);
  return { pad, padded: net.op("Add", [length, pad]) };
}

const zeros = (net: Net, shape: ValueName): ValueName =>
  net.op("ConstantOfShape", [shape], { value: tensorAttribute(fromNumbers("float32", [1], [0])) });

/** data[rows, columns] = number, as PyTorch writes an assignment to slices. */
function assigned(net: Net, data: ValueName, sides: readonly ValueName[], places: Places, number: number): ValueName {
  const [rows, columns] = sides.map((side, axis) => {
    const length = squeeze(net.b, side, [0]);
    const all = net.op("Range", [net.b.scalar(0, "int64"), length, net.b.scalar(1, "int64")]);
    const [start, end] = places[axis];
    return slice(net.b, all, { starts: [start], ends: [end], axes: [0] });
  }) as [ValueName, ValueName];
  const [down, along] = [unsqueeze(net.b, rows, [1]), unsqueeze(net.b, columns, [0])];
  const shape = net.op("Shape", [net.op("Add", [down, along])]);
  const grids = [down, along].map((v) => unsqueeze(net.b, net.op("Expand", [v, shape]), [-1]));
  const index = net.op("Concat", grids, { axis: int(-1) });
  return net.op("ScatterND", [data, index, net.op("Expand", [net.b.scalar(number), shape])]);
}

type Places = readonly (readonly [start: number, end: number])[];
const REGIONS: Places = [
  [0, -WINDOW],
  [-WINDOW, -SHIFT],
  [-SHIFT, END],
];

/** -100 between tokens of one window [4,16,16] that were not neighbours before the shift, else 0. */
function windowMask(net: Net, sides: readonly ValueName[]): ValueName {
  let regions = zeros(net, net.list(...sides));
  REGIONS.forEach((row, i) => {
    for (const [j, column] of REGIONS.entries()) regions = assigned(net, regions, sides, [row, column], 3 * i + j);
  });
  const cells = net.op("Reshape", [regions, net.b.ints([2, WINDOW, 2, WINDOW])]);
  const windows = net.op("Reshape", [net.transpose(cells, 0, 2, 1, 3), net.b.ints([4, WINDOW * WINDOW])]);
  const apart = net.op("Sub", [unsqueeze(net.b, windows, [1]), unsqueeze(net.b, windows, [2])]);
  const same = net.op("Equal", [apart, net.b.scalar(0)]);
  return net.op("Where", [net.op("Not", [same]), net.b.scalar(-100), net.b.scalar(0)]);
}

/** A shifted window block over a grid of 6x6 tokens, which does not divide into windows of 4x4. */
export const swinWithMask: Draw = (net, x) => {
  const grid = net.transpose(net.op("Conv", [x, net.weights([C, 3, 3, 3], 0.3)]), 0, 2, 3, 1);
  const [down, right] = [padding(net, grid, 1), padding(net, grid, 2)];
  const pads = net.list([0, 0, 0, 0, 0], down.pad, right.pad, [0]);
  const padded = net.op("Pad", [net.layerNorm(grid, C), pads, net.b.scalar(0)]);
  const rolled = net.roll(net.roll(padded, -SHIFT, 1), -SHIFT, 2);
  const cells = net.transpose(net.view(rolled, [2, WINDOW, 2, WINDOW, C]), 0, 1, 3, 2, 4, 5);
  const mask = unsqueeze(net.b, unsqueeze(net.b, windowMask(net, [down.padded, right.padded]), [1]), [0]);
  const masked = (scores: ValueName): ValueName => {
    const byImage = net.op("Reshape", [scores, net.b.ints([-1, 4, 2, 16, 16])]);
    return net.op("Reshape", [net.op("Add", [byImage, mask]), net.b.ints([-1, 2, 16, 16])]);
  };
  const attended = net.attention(net.op("Reshape", [cells, net.b.ints([-1, 16, C])]), 16, C, masked);
  const merged = net.op("Reshape", [attended, net.b.ints([-1, 2, 2, WINDOW, WINDOW, C])]);
  const back = net.op("Reshape", [net.transpose(merged, 0, 1, 3, 2, 4, 5), net.b.ints([-1, 8, 8, C])]);
  const unrolled = net.roll(net.roll(back, SHIFT, 1), SHIFT, 2);
  const kept = net.op("Slice", [unrolled, net.b.ints([0, 0]), net.lengths(grid, 1, 3), net.b.ints([1, 2])]);
  return net.dense(reduce(net.b, "ReduceMean", net.op("Add", [grid, kept]), [1, 2], false), C, 4);
};

/** A ViT for images larger than those that it was trained on: its 3x3 position embeddings are brought to 4x4 (DINO). */
export const vitOfAnySize: Draw = (net, x) => {
  const patches = net.op("Conv", [x, net.weights([C, 3, 2, 2], 0.3)], { strides: ints([2, 2]) });
  const tokens = net.transpose(net.view(patches, [C, -1]), 0, 2, 1);
  const sides = net.op("Cast", [net.op("Div", [net.lengths(x, 2, 4), net.b.ints([2, 2])])], { to: int(1) });
  const scales = net.op("Div", [net.op("Add", [sides, net.b.scalar(0.1)]), net.b.scalar(3)]);
  const ones = net.b.constant(fromNumbers("float32", [2], [1, 1]));
  const sized = net.op(
    "Resize",
    [net.weights([1, C, 3, 3], 0.3), "", net.op("Concat", [ones, scales], { axis: int(0) })],
    { mode: string("cubic"), cubic_coeff_a: float(-0.75), coordinate_transformation_mode: string("half_pixel") },
  );
  const places = net.transpose(net.op("Reshape", [sized, net.b.ints([1, C, -1])]), 0, 2, 1);
  const h = net.op("Add", [tokens, places]);
  const heads = net.transpose(net.view(net.dense(net.layerNorm(h, C), C, 3 * C), [16, 3, 2, C / 2]), 2, 0, 3, 1, 4);
  const [q, k, v] = [0, 1, 2].map((i) => net.op("Gather", [heads, net.b.scalar(i, "int64")], { axis: int(0) }));
  const mixed = net.transpose(net.scaledDotProduct(q, k, v), 0, 2, 1, 3);
  const out = net.op("Add", [h, net.dense(net.view(mixed, [16, C]), C, C)]);
  return net.dense(reduce(net.b, "ReduceMean", net.layerNorm(out, C), [1], false), C, 4);
};

/** F.normalize over the last axis. */
function normalized(net: Net, x: ValueName): ValueName {
  const size = net.op("Clip", [reduce(net.b, "ReduceL2", x, [-1], true), net.b.scalar(1e-12)]);
  return net.op("Div", [x, net.op("Expand", [size, net.op("Shape", [x])])]);
}

/** Cosine attention with a limited temperature per head, bias from a sigmoid (Swin V2); norms behind the blocks. */
export const swinV2: Draw = (net, x) => {
  const patches = net.op("Conv", [x, net.weights([C, 3, 4, 4], 0.2)], { strides: ints([4, 4]) });
  const tokens = net.transpose(net.view(patches, [C, 4]), 0, 2, 1);
  const qkv = net.transpose(net.view(net.dense(tokens, C, 3 * C), [4, 3, 2, C / 2]), 2, 0, 3, 1, 4);
  const [q, k, v] = split(net.b, qkv, 0, [1, 1, 1]).map((part) =>
    net.op("Reshape", [part, net.b.ints([-1, 2, 4, C / 2])]),
  ) as [ValueName, ValueName, ValueName];
  const cosine = net.op("MatMul", [normalized(net, q), net.transpose(normalized(net, k), 0, 1, 3, 2)]);
  const heat = net.op("Exp", [net.op("Clip", [net.weights([2, 1, 1]), "", net.b.scalar(Math.log(100))])]);
  const bias = net.op("Mul", [net.b.scalar(16), net.op("Sigmoid", [net.weights([1, 2, 4, 4])])]);
  const scores = net.op("Add", [net.op("Mul", [cosine, heat]), bias]);
  const mixed = net.op("MatMul", [net.op("Softmax", [scores], { axis: int(-1) }), v]);
  const attended = net.dense(net.view(net.transpose(mixed, 0, 2, 1, 3), [4, C]), C, C);
  const h = net.op("Add", [tokens, net.layerNorm(attended, C)]);
  const out = net.op("Add", [h, net.layerNorm(net.dense(net.gelu(net.dense(h, C, 8)), 8, C), C)]);
  return net.dense(reduce(net.b, "ReduceMean", out, [1], false), C, 4);
};
