/** @file Small random networks with the operators that exports of today's vision architectures have, shape arithmetic included. Each
 *  takes images [n,3,8,8] and gives logits [n,4]. */
import { normal } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { reduce, slice, split, unsqueeze } from "../../src/ops/support/emit.js";

type Draw = (net: Net, x: ValueName) => ValueName;

/** A builder with seeded weights. */
class Net {
  readonly b: GraphBuilder;
  #seed = 0;
  constructor(name: string, opset: number) {
    this.b = new GraphBuilder(emptyGraph(name, opset));
  }
  op(type: string, inputs: readonly ValueName[], attributes: Attributes = {}): ValueName {
    return this.b.op(type, inputs, attributes);
  }
  weights(dims: readonly number[], scale = 1, shift = 0): ValueName {
    const draw = normal({ seed: ++this.#seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims));
    return this.b.constant(
      fromNumbers(
        "float32",
        dims,
        draw.map((v) => v * scale + shift),
      ),
      "w",
    );
  }
  conv(x: ValueName, from: number, to: number, k: number, more: { stride?: number; group?: number } = {}): ValueName {
    const { stride = 1, group = 1 } = more;
    const pad = Math.floor((k - 1) / 2);
    const w = this.weights([to, from / group, k, k], 1.2 / Math.sqrt((from / group) * k * k));
    return this.op("Conv", [x, w, this.weights([to], 0.1)], {
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
      group: int(group),
    });
  }
  norm(x: ValueName, c: number): ValueName {
    const of = (scale: number, shift: number) => this.weights([c], scale, shift);
    return this.op("BatchNormalization", [x, of(0.2, 1), of(0.2, 0), of(0.1, 0), of(0.1, 1)]);
  }
  dense(x: ValueName, from: number, to: number): ValueName {
    const product = this.op("MatMul", [x, this.weights([from, to], 1 / Math.sqrt(from))]);
    return this.op("Add", [product, this.weights([to], 0.1)]);
  }
  /** LayerNormalization over the last axis: one node from opset 17 on, before as PyTorch writes it. */
  layerNorm(x: ValueName, c: number): ValueName {
    const [scale, shift] = [this.weights([c], 0.2, 1), this.weights([c], 0.2)];
    if (this.b.opset >= 17) return this.op("LayerNormalization", [x, scale, shift], { axis: int(-1) });
    const centred = this.op("Sub", [x, reduce(this.b, "ReduceMean", x, [-1], true)]);
    const variance = reduce(this.b, "ReduceMean", this.op("Pow", [centred, this.b.scalar(2)]), [-1], true);
    const std = this.op("Sqrt", [this.op("Add", [variance, this.b.scalar(1e-5)])]);
    return this.op("Add", [this.op("Mul", [this.op("Div", [centred, std]), scale]), shift]);
  }
  /** Gelu as PyTorch writes it before opset 20. */
  gelu(x: ValueName): ValueName {
    const erf = this.op("Erf", [this.op("Div", [x, this.b.scalar(Math.SQRT2)])]);
    return this.op("Mul", [this.op("Mul", [x, this.op("Add", [erf, this.b.scalar(1)])]), this.b.scalar(0.5)]);
  }
  /** x.shape[axis] as PyTorch writes it for a length that may change. */
  length(x: ValueName, axis: number): ValueName {
    return unsqueeze(
      this.b,
      this.op("Gather", [this.op("Shape", [x]), this.b.scalar(axis, "int64")], { axis: int(0) }),
      [0],
    );
  }
  /** x.view(x.shape[0], ...rest) */
  view(x: ValueName, rest: readonly number[]): ValueName {
    return this.op("Reshape", [x, this.op("Concat", [this.length(x, 0), this.b.ints(rest)], { axis: int(0) })]);
  }
  transpose(x: ValueName, ...perm: readonly number[]): ValueName {
    return this.op("Transpose", [x], { perm: ints(perm) });
  }
  /** torch.roll by `by` along an axis. */
  roll(x: ValueName, by: number, axis: number): ValueName {
    const part = (start: number, end: number) => slice(this.b, x, { starts: [start], ends: [end], axes: [axis] });
    return this.op("Concat", [part(-by, 2 ** 31 - 1), part(0, -by)], { axis: int(axis) });
  }
  /** Images to logits by global average pooling. */
  head(x: ValueName, c: number): ValueName {
    return this.dense(this.op("Flatten", [this.op("GlobalAveragePool", [x])]), c, 4);
  }
  /** Multi-head attention over [..., tokens, c]; `bias` is added to the scores. */
  attention(x: ValueName, tokens: number, c: number, bias?: ValueName): ValueName {
    const [heads, width] = [2, c / 2];
    const qkv = this.view(this.dense(x, c, 3 * c), [tokens, 3, heads, width]);
    const [q, k, v] = split(this.b, this.transpose(qkv, 2, 0, 3, 1, 4), 0, [1, 1, 1]).map((part) =>
      this.op("Reshape", [part, this.b.ints([-1, heads, tokens, width])]),
    ) as [ValueName, ValueName, ValueName];
    const scaled = this.op("Mul", [q, this.b.scalar(width ** -0.5)]);
    const scores = this.op("MatMul", [scaled, this.transpose(k, 0, 1, 3, 2)]);
    const shares = this.op("Softmax", [bias ? this.op("Add", [scores, bias]) : scores], { axis: int(-1) });
    return this.dense(this.view(this.transpose(this.op("MatMul", [shares, v]), 0, 2, 1, 3), [tokens, c]), c, c);
  }
  squeezeExcite(x: ValueName, c: number, gate: (v: ValueName) => ValueName): ValueName {
    const squeezed = this.op("Relu", [this.conv(this.op("GlobalAveragePool", [x]), c, 2, 1)]);
    return this.op("Mul", [x, gate(this.conv(squeezed, 2, c, 1))]);
  }
  swish(x: ValueName): ValueName {
    return this.op("Mul", [x, this.op("Sigmoid", [x])]);
  }
}

const shuffleNet: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 8, 3, { stride: 2 }), 8)]);
  const [kept, worked] = split(net.b, stem, 1, [4, 4]) as [ValueName, ValueName];
  const inner = net.norm(net.conv(net.op("Relu", [net.conv(worked, 4, 4, 1)]), 4, 4, 3, { group: 4 }), 4);
  const joined = net.op("Concat", [kept, net.op("Relu", [net.conv(inner, 4, 4, 1)])], { axis: int(1) });
  const shuffled = net.transpose(net.view(joined, [2, 4, 4, 4]), 0, 2, 1, 3, 4);
  return net.head(net.view(shuffled, [8, 4, 4]), 8);
};

const inception: Draw = (net, x) => {
  const pooled = net.op("AveragePool", [x], {
    kernel_shape: ints([3, 3]),
    pads: ints([1, 1, 1, 1]),
    count_include_pad: int(1),
  });
  const branches = [
    net.conv(x, 3, 3, 1),
    net.conv(net.op("Relu", [net.conv(x, 3, 4, 1)]), 4, 4, 3),
    net.conv(net.conv(net.conv(x, 3, 2, 1), 2, 3, 3), 3, 3, 5),
    net.conv(pooled, 3, 2, 1),
  ];
  const mixed = net.op("Relu", [net.norm(net.op("Concat", branches, { axis: int(1) }), 12)]);
  const size = { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) };
  return net.head(net.op("MaxPool", [mixed], size), 12);
};

const denseNet: Draw = (net, x) => {
  let h = net.conv(x, 3, 4, 3);
  for (const c of [4, 7]) {
    const grown = net.conv(net.op("Relu", [net.norm(h, c)]), c, 3, 3);
    h = net.op("Concat", [h, grown], { axis: int(1) });
  }
  const transition = net.conv(net.op("Relu", [net.norm(h, 10)]), 10, 5, 1);
  const halved = net.op("AveragePool", [transition], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  return net.head(net.op("Relu", [net.norm(halved, 5)]), 5);
};

const mobileNetV3: Draw = (net, x) => {
  const stem = net.op("HardSwish", [net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4)]);
  const wide = net.op("HardSwish", [net.norm(net.conv(stem, 4, 8, 1), 8)]);
  const deep = net.op("Relu", [net.norm(net.conv(wide, 8, 8, 5, { group: 8 }), 8)]);
  const excited = net.squeezeExcite(deep, 8, (v) => net.op("HardSigmoid", [v], { alpha: float(1 / 6) }));
  return net.head(net.op("Add", [stem, net.norm(net.conv(excited, 8, 4, 1), 4)]), 4);
};

const efficientNet: Draw = (net, x) => {
  const stem = net.swish(net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4));
  const deep = net.swish(net.norm(net.conv(net.swish(net.conv(stem, 4, 8, 1)), 8, 8, 3, { group: 8 }), 8));
  const excited = net.squeezeExcite(deep, 8, (v) => net.op("Sigmoid", [v]));
  return net.head(net.op("Add", [stem, net.conv(excited, 8, 4, 1)]), 4);
};

const regNet: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 8, 3, { stride: 2 }), 8)]);
  const grouped = net.op("Relu", [net.norm(net.conv(net.conv(stem, 8, 8, 1), 8, 8, 3, { stride: 2, group: 2 }), 8)]);
  const excited = net.squeezeExcite(grouped, 8, (v) => net.op("Sigmoid", [v]));
  const shortcut = net.norm(net.conv(stem, 8, 8, 1, { stride: 2 }), 8);
  return net.head(net.op("Relu", [net.op("Add", [net.conv(excited, 8, 8, 1), shortcut])]), 8);
};

const convNeXt: Draw = (net, x) => {
  const patches = net.op("Conv", [x, net.weights([6, 3, 2, 2], 0.3)], { strides: ints([2, 2]) });
  const last = net.layerNorm(net.transpose(net.conv(patches, 6, 6, 7, { group: 6 }), 0, 2, 3, 1), 6);
  const inner = net.dense(net.gelu(net.dense(last, 6, 12)), 12, 6);
  const scaled = net.op("Mul", [net.weights([6], 0.3), inner]);
  const h = net.op("Add", [patches, net.transpose(scaled, 0, 3, 1, 2)]);
  return net.dense(net.layerNorm(net.op("Flatten", [net.op("GlobalAveragePool", [h])]), 6), 6, 4);
};

/** [n,h,w,c] as windows of 2x2 tokens [n*4,4,c], and back. */
const windows = (net: Net, x: ValueName, c: number) =>
  net.op("Reshape", [net.transpose(net.view(x, [2, 2, 2, 2, c]), 0, 1, 3, 2, 4, 5), net.b.ints([-1, 4, c])]);
const merged = (net: Net, x: ValueName, c: number) => {
  const grid = net.op("Reshape", [x, net.b.ints([-1, 2, 2, 2, 2, c])]);
  return net.op("Reshape", [net.transpose(grid, 0, 1, 3, 2, 4, 5), net.b.ints([-1, 4, 4, c])]);
};

/** A shifted window block with relative position bias, and patch merging. */
const swin: Draw = (net, x) => {
  const c = 4;
  const patches = net.transpose(net.conv(x, 3, c, 3, { stride: 2 }), 0, 2, 3, 1);
  const table = net.weights([9, 2]);
  const index = net.b.constant(fromNumbers("int64", [16], [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]));
  const picked = net.op("Reshape", [net.op("Gather", [table, index], { axis: int(0) }), net.b.ints([4, 4, 2])]);
  const bias = net.op("Unsqueeze", [net.transpose(picked, 2, 0, 1), net.b.ints([0])]);
  const shifted = net.roll(net.roll(net.layerNorm(patches, c), -1, 1), -1, 2);
  const attended = net.attention(windows(net, shifted, c), 4, c, bias);
  const back = net.roll(net.roll(merged(net, attended, c), 1, 1), 1, 2);
  const h = net.op("Add", [patches, back]);
  const part = (row: number, column: number) =>
    slice(net.b, h, { starts: [row, column], ends: [2 ** 31 - 1, 2 ** 31 - 1], axes: [1, 2], steps: [2, 2] });
  const quarters = [part(0, 0), part(1, 0), part(0, 1), part(1, 1)];
  const smaller = net.dense(net.layerNorm(net.op("Concat", quarters, { axis: int(-1) }), 4 * c), 4 * c, c);
  return net.dense(reduce(net.b, "ReduceMean", smaller, [1, 2], false), c, 4);
};

const vit: Draw = (net, x) => {
  const c = 6;
  const patches = net.op("Conv", [x, net.weights([c, 3, 4, 4], 0.2)], { strides: ints([4, 4]) });
  const tokens = net.transpose(net.view(patches, [c, 4]), 0, 2, 1);
  const wide = net.op("Concat", [net.length(x, 0), net.b.ints([1, c])], { axis: int(0) });
  const token = net.op("Expand", [net.weights([1, 1, c]), wide]);
  let h = net.op("Add", [net.op("Concat", [token, tokens], { axis: int(1) }), net.weights([1, 5, c], 0.3)]);
  h = net.op("Add", [h, net.attention(net.layerNorm(h, c), 5, c)]);
  h = net.op("Add", [h, net.dense(net.gelu(net.dense(net.layerNorm(h, c), c, 12)), 12, c)]);
  return net.dense(net.op("Gather", [net.layerNorm(h, c), net.b.scalar(0, "int64")], { axis: int(1) }), c, 4);
};

/** Tokens that the class token looks at least are dropped (EViT): TopK and GatherElements. */
const tokenPruning: Draw = (net, x) => {
  const c = 4;
  const tokens = net.transpose(net.view(net.conv(x, 3, c, 3, { stride: 2 }), [c, 16]), 0, 2, 1);
  const scores = net.op("Softmax", [net.op("Squeeze", [net.dense(tokens, c, 1), net.b.ints([-1])])], { axis: int(-1) });
  const [weights, index] = net.b.ops("TopK", [scores, net.b.ints([5])], 2, { axis: int(-1) }) as [ValueName, ValueName];
  const wide = net.op("Expand", [unsqueeze(net.b, index, [-1]), net.b.ints([1, 1, c])]);
  const kept = net.op("GatherElements", [tokens, wide], { axis: int(1) });
  const weighed = net.op("Mul", [kept, unsqueeze(net.b, weights, [-1])]);
  return net.dense(reduce(net.b, "ReduceMean", net.gelu(weighed), [1], false), c, 4);
};

const uNet: Draw = (net, x) => {
  const skip = net.op("Relu", [net.norm(net.conv(x, 3, 4, 3), 4)]);
  const size = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  const deep = net.op("Relu", [net.conv(net.op("MaxPool", [skip], size), 4, 6, 3)]);
  const up = net.op("ConvTranspose", [deep, net.weights([6, 3, 2, 2], 0.4)], size);
  const scales = net.b.constant(fromNumbers("float32", [4], [1, 1, 2, 2]));
  const resized = net.op("Resize", [deep, "", scales], {
    mode: string("linear"),
    coordinate_transformation_mode: string("half_pixel"),
  });
  const joined = net.op("Concat", [skip, up, resized], { axis: int(1) });
  const padded = net.op("Pad", [joined, net.b.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: string("reflect") });
  return net.head(net.op("Relu", [net.op("Conv", [padded, net.weights([5, 13, 3, 3], 0.2)])]), 5);
};

/** AlexNet's normalization, Dropout at rest, and pixels joined to channels. */
const classic: Draw = (net, x) => {
  const h = net.op("LRN", [net.op("Relu", [net.conv(x, 3, 6, 3)])], { size: int(5), alpha: float(0.5) });
  const deep = net.op("SpaceToDepth", [h], { blocksize: int(4) });
  return net.dense(net.op("Dropout", [net.op("Flatten", [deep])]), 384, 4);
};

/** Attention over positions by Einsum (BoTNet), normalized descriptors (NetVLAD). */
const einsumNet: Draw = (net, x) => {
  const h = net.view(net.conv(x, 3, 4, 3, { stride: 2 }), [2, 2, 16]);
  const scores = net.op("Einsum", [h, h], { equation: string("bhdi, bhdj -> bhij") });
  const shares = net.op("Softmax", [scores], { axis: int(-1) });
  const mixed = net.op("Einsum", [shares, h], { equation: string("bhij,bhdj->bihd") });
  const features = net.op("LpNormalization", [net.view(mixed, [64])], { axis: int(-1), p: int(2) });
  return net.dense(features, 64, 4);
};

/** A spatial transformer: the image read at points that it chooses itself. */
const spatialTransformer: Draw = (net, x) => {
  const theta = net.op("Tanh", [net.head(net.conv(x, 3, 4, 3), 4)]);
  const base = net.b.constant(fromNumbers("float32", [1, 4, 2], [-0.7, -0.6, 0.5, -0.4, -0.3, 0.6, 0.7, 0.45]));
  const matrix = net.op("Reshape", [theta, net.b.ints([-1, 2, 2])]);
  const grid = net.view(net.op("MatMul", [base, matrix]), [2, 2, 2]);
  return net.dense(net.op("Flatten", [net.op("GridSample", [x, grid], { padding_mode: string("border") })]), 12, 4);
};

const DRAWINGS: Readonly<Record<string, readonly [draw: Draw, opset: number]>> = {
  ShuffleNet: [shuffleNet, 13],
  Inception: [inception, 11],
  DenseNet: [denseNet, 11],
  MobileNetV3: [mobileNetV3, 14],
  EfficientNet: [efficientNet, 13],
  RegNet: [regNet, 18],
  ConvNeXt: [convNeXt, 17],
  "ConvNeXt without LayerNormalization": [convNeXt, 13],
  Swin: [swin, 17],
  "Swin at opset 21": [swin, 21],
  ViT: [vit, 14],
  "ViT at opset 18": [vit, 18],
  "token pruning": [tokenPruning, 17],
  "U-Net": [uNet, 13],
  "U-Net at opset 19": [uNet, 19],
  "AlexNet's layers": [classic, 13],
  "attention by Einsum": [einsumNet, 13],
  "a spatial transformer": [spatialTransformer, 16],
};

export const FAMILIES: ReadonlyMap<string, () => Graph> = new Map(
  Object.entries(DRAWINGS).map(([name, [draw, opset]]) => [
    name,
    () => {
      const net = new Net(name, opset);
      const logits = draw(net, net.b.input("images", "float32", ["n", 3, 8, 8]));
      net.b.output(net.op("Identity", [logits]), "float32", ["n", 4]);
      return net.b.build();
    },
  ]),
);
