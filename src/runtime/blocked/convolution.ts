/** @file Rewrites convolutions as blocked ones. Weights that are not constant get their blocks when
 *  the graph runs. */
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { type Attributes, attribute, int, ints } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { dense } from "./dense.js";
import { type Layout, NCHWC } from "./layout.js";
import type { Rule } from "./rule.js";
import { bothBlocked, inBothBlocks, outputsBlocked, turned } from "./weights.js";

/** A convolution with one group, a depthwise one, or one with groups of whole blocks. Images with
 * fewer channels than a block are read in plain layout. */
export const conv: Rule = (l, node) => {
  const [x, w, bias = ""] = node.inputs as [ValueName, ValueName, ValueName?];
  const [outputs, perGroup, ...kernel] = l.shape(w) as number[];
  const [channels, groups] = [l.shape(x)[1], attribute(node, "group", "int") ?? 1];
  const known =
    l.shape(x).length === 4 &&
    kernel.length === 2 &&
    [outputs, channels, ...kernel].every((d) => typeof d === "number");
  if (!known || !l.isFloat(x) || (attribute(node, "auto_pad", "string") ?? "NOTSET") !== "NOTSET") return false;
  if (dense(l, node)) return true;
  const depthwise = groups === channels && perGroup === 1 && outputs === groups;
  const wholeBlocks = perGroup % l.block === 0 && (outputs / groups) % l.block === 0;
  const thin = (channels as number) < l.block;
  if ((!depthwise && groups !== 1 && !wholeBlocks) || (!thin && !l.fits(x))) return false;
  const attributes = { ...node.attributes, kernel_shape: ints(kernel) };
  const images = thin ? l.plain(x) : l.blocked(x);
  if (outputs % l.block !== 0) return groups === 1 && ragged(l, node, images, attributes);
  const blocked = l.isBlocked(w) ? l.blocked(w) : depthwise || thin ? outputsBlocked(l, w) : bothBlocked(l, w);
  l.conv(node.outputs[0], [images, blocked, bias && l.plain(bias)], attributes);
  return true;
};

/** A convolution whose outputs do not fill a block, such as the gradient of images. Zero channels
 * fill the block and are cut off with the layout. */
function ragged(l: Layout, node: Node, images: ValueName, attributes: Attributes): boolean {
  const [x, w, bias = ""] = node.inputs as [ValueName, ValueName, ValueName?];
  const [weights, shift] = [l.constant(w), l.constant(bias)];
  if (!weights || (bias && !shift) || !l.fits(x)) return false;
  const channels = weights.dims[0];
  const filled = Math.ceil(channels / l.block) * l.block;
  const inputs = [images, l.laidOut(w, "filled", () => inBothBlocks(withZeros(weights, filled), l.block))];
  if (shift) inputs.push(l.laidOut(bias, "filled", () => withZeros(shift, filled)));
  const output = node.outputs[0];
  const made = l.nchwc("Conv", inputs, attributes, `${output}.blocked`);
  l.push({
    opType: "ReorderOutput",
    domain: NCHWC,
    name: "",
    inputs: [made],
    outputs: [output],
    attributes: { channels: int(channels) },
  });
  l.madePlain(output);
  return true;
}

/** A constant with rows of zeros after its own rows. */
function withZeros(value: Tensor, count: number): Tensor {
  const data = new Float32Array((value.data.length / value.dims[0]) * count);
  data.set(value.data as Float32Array);
  return { dtype: value.dtype, dims: [count, ...value.dims.slice(1)], data };
}

/** A depthwise ConvTranspose with strides: its input with zeros between the pixels, convolved with
 * the reversed kernel. */
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
  l.conv(output, [spread(l, x, strides), turned(l, w, kernel)], {
    group: int(channels),
    kernel_shape: ints(kernel),
    pads: ints([...before, ...after]),
  });
  return true;
};

/** Repeats every pixel over a square of stride by stride, then zeros all but the first pixel of
 * each square. */
function spread(l: Layout, x: ValueName, strides: readonly number[]): ValueName {
  const [, channels, height, width] = l.shape(x) as [unknown, number, number, number];
  const repeated = l.nchwc("Upsample", [l.blocked(x)], { scales: ints([1, 1, ...strides]) });
  const [rows, columns] = [height * strides[0], width * strides[1]];
  const mask = Float64Array.from({ length: channels * rows * columns }, (_, i) => {
    const pixel = Math.floor(i / l.block) % (rows * columns);
    return Math.floor(pixel / columns) % strides[0] === 0 && (pixel % columns) % strides[1] === 0 ? 1 : 0;
  });
  return l.op("Mul", [repeated, l.b.constant(fromNumbers("float32", [1, channels, rows, columns], mask), "first")]);
}
