/** @file MobileNet v1 to v4, MNASNet. */
import { float } from "../../../src/graph/attributes.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { reduce } from "../../../src/ops/support/emit.js";
import type { Draw, Net } from "./net.js";

export const mobileNetV1: Draw = (net, x) => {
  const step = (h: ValueName, from: number, to: number, stride: number): ValueName => {
    const deep = net.op("Relu", [net.norm(net.conv(h, from, from, 3, { stride, group: from }), from)]);
    return net.op("Relu", [net.norm(net.conv(deep, from, to, 1), to)]);
  };
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4)]);
  const pooled = reduce(net.b, "ReduceMean", step(step(stem, 4, 6, 1), 6, 8, 2), [2, 3], false);
  return net.op("Gemm", [pooled, net.weights([8, 4], 0.4), net.weights([4], 0.1)]);
};

export const mobileNetV2: Draw = (net, x) => {
  const relu6 = (v: ValueName): ValueName => net.op("Clip", [v, net.b.scalar(0), net.b.scalar(6)]);
  const stem = relu6(net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4));
  const wide = relu6(net.norm(net.conv(stem, 4, 12, 1), 12));
  const deep = relu6(net.norm(net.conv(wide, 12, 12, 3, { group: 12 }), 12));
  return net.head(relu6(net.op("Add", [stem, net.norm(net.conv(deep, 12, 4, 1), 4)])), 4);
};

/** A separable stem, then inverted bottlenecks of 3x3 and 5x5 without an activation behind them. */
export const mnasNet: Draw = (net, x) => {
  const relu = (v: ValueName, c: number): ValueName => net.op("Relu", [net.norm(v, c)]);
  const bottleneck = (h: ValueName, c: number, to: number, k: number, stride: number): ValueName => {
    const wide = relu(net.conv(h, c, 3 * c, 1), 3 * c);
    const deep = relu(net.conv(wide, 3 * c, 3 * c, k, { stride, group: 3 * c }), 3 * c);
    return net.norm(net.conv(deep, 3 * c, to, 1), to);
  };
  const stem = relu(net.conv(x, 3, 4, 3, { stride: 2 }), 4);
  const separable = net.norm(net.conv(relu(net.conv(stem, 4, 4, 3, { group: 4 }), 4), 4, 4, 1), 4);
  const smaller = bottleneck(separable, 4, 6, 5, 2);
  const last = relu(net.conv(net.op("Add", [bottleneck(smaller, 6, 6, 3, 1), smaller]), 6, 8, 1), 8);
  return net.dense(net.op("Dropout", [reduce(net.b, "ReduceMean", last, [2, 3], false)]), 8, 4);
};

export const mobileNetV3: Draw = (net, x) => {
  const stem = net.op("HardSwish", [net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4)]);
  const wide = net.op("HardSwish", [net.norm(net.conv(stem, 4, 8, 1), 8)]);
  const deep = net.op("Relu", [net.norm(net.conv(wide, 8, 8, 5, { group: 8 }), 8)]);
  const excited = net.squeezeExcite(deep, 8, (v) => net.op("HardSigmoid", [v], { alpha: float(1 / 6) }));
  return net.head(net.op("Add", [stem, net.norm(net.conv(excited, 8, 4, 1), 4)]), 4);
};

/** A universal inverted bottleneck: depthwise before and after the expansion. */
function universalBottleneck(net: Net, x: ValueName, c: number): ValueName {
  const before = net.norm(net.conv(x, c, c, 3, { group: c }), c);
  const wide = net.op("Relu", [net.norm(net.conv(before, c, 2 * c, 1), 2 * c)]);
  const deep = net.op("Relu", [net.norm(net.conv(wide, 2 * c, 2 * c, 5, { group: 2 * c }), 2 * c)]);
  const narrow = net.norm(net.conv(deep, 2 * c, c, 1), c);
  return net.op("Add", [x, net.op("Mul", [narrow, net.weights([c, 1, 1], 0.3)])]);
}

export const mobileNetV4: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4)]);
  return net.head(universalBottleneck(net, stem, 4), 4);
};

/** With mobile multi-query attention: all heads share keys and values of half the resolution. */
export const mobileNetV4Hybrid: Draw = (net, x) => {
  const [c, heads, width, pixels] = [4, 2, 3, 16];
  const stem = net.gelu(net.norm(net.conv(x, 3, c, 3, { stride: 2 }), c));
  const normed = net.norm(stem, c);
  const tokens = net.view(net.conv(normed, c, heads * width, 1), [heads, width, pixels]);
  const shared = (): ValueName => {
    const half = net.norm(net.conv(normed, c, c, 3, { stride: 2, group: c }), c);
    return net.transpose(net.view(net.conv(half, c, width, 1), [1, width, pixels / 4]), 0, 1, 3, 2);
  };
  const mixed = net.scaledDotProduct(net.transpose(tokens, 0, 1, 3, 2), shared(), shared());
  const back = net.view(net.transpose(mixed, 0, 1, 3, 2), [heads * width, 4, 4]);
  return net.head(universalBottleneck(net, net.op("Add", [stem, net.conv(back, heads * width, c, 1)]), c), c);
};
