/** @file Convolutional families: ShuffleNet, Inception, DenseNet, RegNet, EfficientNet, ConvNeXt, and the layers of AlexNet. */
import { float, int, ints } from "../../../src/graph/attributes.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { reduce, split } from "../../../src/ops/support/emit.js";
import type { Draw } from "./net.js";

export const shuffleNet: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 8, 3, { stride: 2 }), 8)]);
  const [kept, worked] = split(net.b, stem, 1, [4, 4]) as [ValueName, ValueName];
  const inner = net.norm(net.conv(net.op("Relu", [net.conv(worked, 4, 4, 1)]), 4, 4, 3, { group: 4 }), 4);
  const joined = net.op("Concat", [kept, net.op("Relu", [net.conv(inner, 4, 4, 1)])], { axis: int(1) });
  const shuffled = net.transpose(net.view(joined, [2, 4, 4, 4]), 0, 2, 1, 3, 4);
  return net.head(net.view(shuffled, [8, 4, 4]), 8);
};

export const inception: Draw = (net, x) => {
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

export const denseNet: Draw = (net, x) => {
  let h = net.conv(x, 3, 4, 3);
  for (const c of [4, 7]) {
    const grown = net.conv(net.op("Relu", [net.norm(h, c)]), c, 3, 3);
    h = net.op("Concat", [h, grown], { axis: int(1) });
  }
  const transition = net.conv(net.op("Relu", [net.norm(h, 10)]), 10, 5, 1);
  const halved = net.op("AveragePool", [transition], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  return net.head(net.op("Relu", [net.norm(halved, 5)]), 5);
};

export const efficientNet: Draw = (net, x) => {
  const stem = net.swish(net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4));
  const deep = net.swish(net.norm(net.conv(net.swish(net.conv(stem, 4, 8, 1)), 8, 8, 3, { group: 8 }), 8));
  const excited = net.squeezeExcite(deep, 8, (v) => net.op("Sigmoid", [v]));
  return net.head(net.op("Add", [stem, net.conv(excited, 8, 4, 1)]), 4);
};

export const regNet: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 8, 3, { stride: 2 }), 8)]);
  const grouped = net.op("Relu", [net.norm(net.conv(net.conv(stem, 8, 8, 1), 8, 8, 3, { stride: 2, group: 2 }), 8)]);
  const excited = net.squeezeExcite(grouped, 8, (v) => net.op("Sigmoid", [v]));
  const shortcut = net.norm(net.conv(stem, 8, 8, 1, { stride: 2 }), 8);
  return net.head(net.op("Relu", [net.op("Add", [net.conv(excited, 8, 8, 1), shortcut])]), 8);
};

export const convNeXt: Draw = (net, x) => {
  const patches = net.op("Conv", [x, net.weights([6, 3, 2, 2], 0.3)], { strides: ints([2, 2]) });
  const last = net.layerNorm(net.transpose(net.conv(patches, 6, 6, 7, { group: 6 }), 0, 2, 3, 1), 6);
  const inner = net.dense(net.gelu(net.dense(last, 6, 12)), 12, 6);
  const scaled = net.op("Mul", [net.weights([6], 0.3), inner]);
  const h = net.op("Add", [patches, net.transpose(scaled, 0, 3, 1, 2)]);
  return net.dense(net.layerNorm(net.op("Flatten", [net.op("GlobalAveragePool", [h])]), 6), 6, 4);
};

/** AlexNet's normalization, Dropout at rest, and pixels joined to channels. */
export const classic: Draw = (net, x) => {
  const h = net.op("LRN", [net.op("Relu", [net.conv(x, 3, 6, 3)])], { size: int(5), alpha: float(0.5) });
  const deep = net.op("SpaceToDepth", [h], { blocksize: int(4) });
  return net.dense(net.op("Dropout", [net.op("Flatten", [deep])]), 384, 4);
};

/** ResNet as exports of opset 11 and 12 have it: the classifier's view is computed from the batch's length. */
export const resNet: Draw = (net, x) => {
  const pooling = { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) };
  const stem = net.op("MaxPool", [net.op("Relu", [net.norm(net.conv(x, 3, 4, 7), 4)])], pooling);
  const inner = net.op("Relu", [net.norm(net.conv(stem, 4, 8, 3, { stride: 2 }), 8)]);
  const shortcut = net.norm(net.conv(stem, 4, 8, 1, { stride: 2 }), 8);
  const block = net.op("Relu", [net.op("Add", [net.norm(net.conv(inner, 8, 8, 3), 8), shortcut])]);
  return net.dense(net.view(net.op("GlobalAveragePool", [block]), [-1]), 8, 4);
};

/** A pre-activation block with group normalization (Big Transfer). */
export const groupNormNet: Draw = (net, x) => {
  const stem = net.conv(x, 3, 4, 3, { stride: 2 });
  const active = net.op("Relu", [net.groupNorm(stem, 4, 2)]);
  const inner = net.op("Relu", [net.groupNorm(net.conv(active, 4, 4, 3), 4, 2)]);
  const h = net.op("Add", [stem, net.conv(inner, 4, 4, 3)]);
  return net.head(net.op("LeakyRelu", [net.groupNorm(h, 4, 4)], { alpha: float(0.1) }), 4);
};

/** Two ways joined, Mish, and pools of three sizes side by side (CSPNet, spatial pyramid pooling). */
export const cspNet: Draw = (net, x) => {
  const mish = (v: ValueName): ValueName =>
    net.b.opset >= 18 ? net.op("Mish", [v]) : net.op("Mul", [v, net.op("Tanh", [net.op("Softplus", [v])])]);
  const stem = mish(net.norm(net.conv(x, 3, 6, 3, { stride: 2 }), 6));
  const [left, right] = [net.conv(stem, 6, 3, 1), mish(net.conv(stem, 6, 3, 1))];
  const way = net.op("Add", [right, mish(net.conv(right, 3, 3, 3))]);
  const joined = net.op("Concat", [left, way], { axis: int(1) });
  const pools = [5, 9].map((k) => {
    const pad = (k - 1) / 2;
    return net.op("MaxPool", [joined], { kernel_shape: ints([k, k]), pads: ints([pad, pad, pad, pad]) });
  });
  return net.head(net.conv(net.op("Concat", [joined, ...pools], { axis: int(1) }), 18, 6, 1), 6);
};

/** A fused inverted bottleneck (EfficientNetV2). */
export const efficientNetV2: Draw = (net, x) => {
  const stem = net.swish(net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4));
  const fused = net.swish(net.norm(net.conv(stem, 4, 8, 3), 8));
  return net.head(net.op("Add", [stem, net.norm(net.conv(fused, 8, 4, 1), 4)]), 4);
};

/** ConvNeXt V2: each channel against the mean of all, by their norms over the image (global response normalization). */
export const convNeXtV2: Draw = (net, x) => {
  const patches = net.op("Conv", [x, net.weights([4, 3, 2, 2], 0.3)], { strides: ints([2, 2]) });
  const last = net.layerNorm(net.transpose(net.conv(patches, 4, 4, 7, { group: 4 }), 0, 2, 3, 1), 4);
  const wide = net.gelu(net.dense(last, 4, 8));
  const size = reduce(net.b, "ReduceL2", wide, [1, 2], true);
  const mean = net.op("Add", [reduce(net.b, "ReduceMean", size, [-1], true), net.b.scalar(1e-6)]);
  const scaled = net.op("Mul", [net.weights([8]), net.op("Mul", [wide, net.op("Div", [size, mean])])]);
  const inner = net.dense(net.op("Add", [net.op("Add", [scaled, net.weights([8], 0.2)]), wide]), 8, 4);
  const h = net.op("Add", [patches, net.transpose(inner, 0, 3, 1, 2)]);
  return net.dense(net.layerNorm(reduce(net.b, "ReduceMean", h, [-2, -1], false), 4), 4, 4);
};
