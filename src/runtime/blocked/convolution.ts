/** @file Convolutions, with their weights laid out in blocks when they run. */
import { sizeOf } from "../../core/shape.js";
import { fromNumbers } from "../../core/tensor.js";
import { attribute, int, ints } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { type Layout, NCHWC } from "./layout.js";
import type { Rule } from "./rule.js";

/** With one group or depthwise. Images with fewer channels than a block are taken plain. */
export const conv: Rule = (l, node) => {
  const [x, w, bias = ""] = node.inputs as [ValueName, ValueName, ValueName?];
  const [outputs, perGroup, ...kernel] = l.shape(w) as number[];
  const [channels, groups] = [l.shape(x)[1], attribute(node, "group", "int") ?? 1];
  const known =
    l.shape(x).length === 4 &&
    kernel.length === 2 &&
    [outputs, channels, ...kernel].every((d) => typeof d === "number");
  if (!known || outputs % l.block !== 0 || (attribute(node, "auto_pad", "string") ?? "NOTSET") !== "NOTSET")
    return false;
  const depthwise = groups === channels && perGroup === 1 && outputs === groups;
  const thin = (channels as number) < l.block;
  if (!depthwise && groups !== 1) return false;
  if (!thin && !l.fits(x)) return false;
  const blocked = l.isBlocked(w)
    ? l.blocked(w)
    : groups === 1 && !thin
      ? bothBlocked(l, w)
      : outputsBlocked(l, l.plain(w), l.shape(w) as number[]);
  l.conv(node.outputs[0] as ValueName, [thin ? l.plain(x) : l.blocked(x), blocked, bias && l.plain(bias)], {
    ...node.attributes,
    kernel_shape: ints(kernel),
  });
  return true;
};

/** A depthwise ConvTranspose with strides: its input spread out with zeros in between, and a convolution with the kernel turned. */
export const convTranspose: Rule = (l, node) => {
  const [x, w, bias = ""] = node.inputs as [ValueName, ValueName, ValueName?];
  const [output] = node.outputs as [ValueName];
  const [channels, perGroup, ...kernel] = l.shape(w) as number[];
  const depthwise = perGroup === 1 && attribute(node, "group", "int") === channels && kernel.length === 2;
  const strides = attribute(node, "strides", "ints") ?? [];
  const plain = !bias && !attribute(node, "auto_pad", "string") && !attribute(node, "output_shape", "ints");
  const dense = (attribute(node, "dilations", "ints") ?? []).every((d) => d === 1);
  if (!depthwise || !plain || !dense || strides.length !== 2 || !l.isBlocked(x) || !l.fits(output)) return false;
  const begins = attribute(node, "pads", "ints") ?? [0, 0, 0, 0];
  const before = kernel.map((k, i) => k - 1 - begins[i]);
  const sizes = [2, 3].map((axis) => [l.shape(x)[axis], l.shape(output)[axis]] as [number, number]);
  const after = sizes.map(([from, to], i) => to - from * strides[i] - before[i] + kernel[i] - 1);
  if (![...before, ...after].every((p) => p >= 0)) return false;
  l.conv(output, [spread(l, x, strides), outputsBlocked(l, turned(l, w, kernel), l.shape(w) as number[])], {
    group: int(channels),
    kernel_shape: ints(kernel),
    pads: ints([...before, ...after]),
  });
  return true;
};

/** Every pixel repeated over a stride's square, then all but the first of each square zeroed. */
function spread(l: Layout, x: ValueName, strides: readonly number[]): ValueName {
  const [, channels, height, width] = l.shape(x) as [unknown, number, number, number];
  const repeated = l.b.fresh(`${x}.repeated`);
  const scales = ints([1, 1, ...strides]);
  l.push({
    opType: "Upsample",
    domain: NCHWC,
    name: "",
    inputs: [l.blocked(x)],
    outputs: [repeated],
    attributes: { scales },
  });
  const [rows, columns] = [height * strides[0], width * strides[1]];
  const mask = Float64Array.from({ length: channels * rows * columns }, (_, i) => {
    const pixel = Math.floor(i / l.block) % (rows * columns);
    return Math.floor(pixel / columns) % strides[0] === 0 && (pixel % columns) % strides[1] === 0 ? 1 : 0;
  });
  return l.op("Mul", [repeated, l.b.constant(fromNumbers("float32", [1, channels, rows, columns], mask), "first")]);
}

/** The kernel with its taps in reverse order. */
function turned(l: Layout, w: ValueName, kernel: readonly number[]): ValueName {
  if (kernel.every((k) => k === 1)) return l.plain(w);
  const all = (value: number): ValueName => l.b.ints([value, value]);
  return l.op("Slice", [l.plain(w), all(-1), all(-(2 ** 31)), l.b.ints([2, 3]), all(-1)]);
}

/** W [o, i, ...k] as [o / block, i, ...k, block of o]: for few input channels, and for depthwise convolutions. */
function outputsBlocked(l: Layout, plain: ValueName, [o, ...rest]: readonly number[]): ValueName {
  return l.op("Reshape", [outputsInside(l, plain, o, sizeOf(rest)), l.b.ints([o, ...rest])]);
}

/** W [o, i, ...k] as [o / block, i / block, ...k, block of i, block of o]. In two steps that move one axis each, since ONNX Runtime
 *  is slow at moving several. */
function bothBlocked(l: Layout, w: ValueName): ValueName {
  const [o, i, ...k] = l.shape(w) as [number, number, ...number[]];
  const taps = sizeOf(k);
  const inside = outputsInside(l, l.plain(w), o, i * taps);
  if (taps === 1) return l.op("Reshape", [inside, l.b.ints([o, i, ...k])]);
  const split = l.op("Reshape", [inside, l.b.ints([(o * i) / l.block ** 2, l.block, taps, l.block])]);
  const turned = l.op("Transpose", [split], { perm: ints([0, 2, 1, 3]) });
  return l.op("Reshape", [turned, l.b.ints([o, i, ...k])]);
}

/** W [o, each] as [o / block, each, block of o]. */
function outputsInside(l: Layout, plain: ValueName, o: number, each: number): ValueName {
  const split = l.op("Reshape", [plain, l.b.ints([o / l.block, l.block, each])]);
  return l.op("Transpose", [split], { perm: ints([0, 2, 1]) });
}
