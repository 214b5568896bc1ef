/** @file Rewrites nodes that only move pixels. Most become depthwise convolutions with a single 1
 *  per kernel.
 *  These run on all threads, but ONNX Runtime's own kernels copy row by row on one thread. */
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { attribute, int, ints } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { type Layout, NCHWC } from "./layout.js";
import { equal, keepLayout, type Rule } from "./rule.js";

/** Adds zeros around images, or cuts them. */
export const pad: Rule = (l, node) => {
  const [x, amounts, value = "", axes = ""] = node.inputs as [ValueName, ValueName, ValueName?, ValueName?];
  const [output] = node.outputs as [ValueName];
  const stored = l.constant(amounts);
  const zeros = (attribute(node, "mode", "string") ?? "constant") === "constant" && !value && !axes;
  if (!zeros || !stored || !l.isBlocked(x) || !l.fits(output)) return false;
  const pads = [...toNumbers(stored)];
  if (pads[0] !== 0 || pads[4] !== 0) return false;
  if (pads[1] !== 0 || pads[5] !== 0) return padChannels(l, node, pads);
  const [top, left, bottom, right] = [pads[2], pads[3], pads[6], pads[7]];
  const [rows, columns] = [span(top, bottom), span(left, right)];
  const channels = l.shape(x)[1] as number;
  l.conv(output, [l.blocked(x), oneTap(l, channels, rows, columns)], {
    group: int(channels),
    kernel_shape: ints([rows.length, columns.length]),
    pads: ints([top, left, bottom, right].map((p) => Math.max(0, p))),
  });
  return true;
};

/** Takes every stride-th pixel from a start on: a depthwise convolution whose kernel reaches to the
 * start. */
export const slice: Rule = (l, node) => {
  const [x] = node.inputs as [ValueName];
  const [output] = node.outputs as [ValueName];
  const numbers = node.inputs.slice(1).map((name) => l.constant(name));
  if (!l.isBlocked(x) || !l.fits(output) || numbers.length !== 4 || numbers.some((t) => !t)) return false;
  const [starts, , axes, steps] = numbers.map((t) => [...toNumbers(t as Tensor)]) as [
    number[],
    number[],
    number[],
    number[],
  ];
  if (axes.join() !== "2,3" || steps.some((s) => s < 1) || starts.some((s) => s < 0)) return false;
  const covers = [0, 1].every((i) => {
    const [size, kept] = [l.shape(x)[i + 2] as number, l.shape(output)[i + 2] as number];
    return Math.floor((size - starts[i] - 1) / steps[i]) + 1 === kept;
  });
  if (!covers) return false;
  const channels = l.shape(x)[1] as number;
  const [rows, columns] = starts.map((start) => ({ length: start + 1, at: start })) as [Tap, Tap];
  l.conv(output, [l.blocked(x), oneTap(l, channels, rows, columns)], {
    group: int(channels),
    kernel_shape: ints([rows.length, columns.length]),
    strides: ints(steps),
  });
  return true;
};

interface Tap {
  readonly length: number;
  readonly at: number;
}

/** The kernel along one axis that cuts where a pad is negative: its length, and the position of the
 * 1. */
const span = (before: number, after: number): Tap => ({
  length: 1 + Math.max(0, -before) + Math.max(0, -after),
  at: Math.max(0, -before),
});

/** A depthwise kernel with 1 at one tap, in blocked layout: [c / block, 1, rows, columns, block].
 */
function oneTap(l: Layout, channels: number, rows: Tap, columns: Tap): ValueName {
  const taps = rows.length * columns.length;
  const data = new Float64Array(channels * taps);
  const tap = rows.at * columns.length + columns.at;
  for (let c = 0; c < channels; c++) data[Math.floor(c / l.block) * taps * l.block + tap * l.block + (c % l.block)] = 1;
  return l.b.constant(fromNumbers("float32", [channels, 1, rows.length, columns.length], data), "tap");
}

/** Moves the channels last: one copy from either layout. */
export const transpose: Rule = (l, node) => {
  const [x] = node.inputs as [ValueName];
  const [output] = node.outputs as [ValueName];
  if (!l.isBlocked(x) || !l.isFloat(x) || attribute(node, "perm", "ints")?.join() !== "0,2,3,1") return false;
  const attributes = { channels: int(l.shape(x)[1] as number), channels_last: int(1) };
  l.push({
    opType: "ReorderOutput",
    domain: NCHWC,
    name: "",
    inputs: [l.blocked(x)],
    outputs: [output],
    attributes,
  });
  l.madePlain(output);
  return true;
};

/** Turns samples into neighbouring channels, which keeps the blocks. As [planes, 1, h, w] they are
 * depthwise kernels, whose blocked layout equals the layout of images. */
export const reshape: Rule = (l, node) => {
  const [x] = node.inputs as [ValueName];
  const [output] = node.outputs as [ValueName];
  const [batch, channels, ...size] = l.shape(x);
  const [first, second, ...rest] = l.shape(output);
  if (!l.isBlocked(x) || rest.length !== 2 || !equal(size, rest)) return false;
  const planes = (batch as number) * (channels as number);
  const asImages = first === 1 && second === planes;
  const asKernels = first === planes && second === 1 && readAsDepthwiseKernels(l, output);
  if (!asImages && !asKernels) return false;
  keepLayout(l, node, [x]);
  return true;
};

/** Whether every reader is a convolution that becomes a blocked depthwise one. */
const readAsDepthwiseKernels = (l: Layout, name: ValueName): boolean =>
  !l.graph.outputs.some((o) => o.name === name) &&
  l
    .readers(name)
    .every(
      (node) => node.opType === "Conv" && node.inputs[1] === name && l.shape(name)[0] === l.shape(node.inputs[0])[1],
    );

/** Adds whole blocks of zero channels. They are the same in both layouts. */
function padChannels(l: Layout, node: Node, pads: readonly number[]): boolean {
  const inner = [2, 3, 6, 7].every((i) => pads[i] === 0);
  if (!inner || pads[1] % l.block !== 0 || pads[5] % l.block !== 0) return false;
  keepLayout(l, node, [node.inputs[0]]);
  return true;
}

/** Joins images along their channels, in whole blocks each. */
export const concat: Rule = (l, node) => {
  const axis = attribute(node, "axis", "int");
  if (axis !== 1 || !node.inputs.every((name) => l.fits(name)) || !node.inputs.some((name) => l.isBlocked(name)))
    return false;
  keepLayout(l, node, node.inputs);
  return true;
};

/** Takes whole samples of a batch. */
export const rows: Rule = (l, node) => {
  const [images, which] = node.inputs as [ValueName, ValueName];
  const [output] = node.outputs as [ValueName];
  const whole = attribute(node, "axis", "int") ?? (node.opType === "Gather" ? 0 : undefined);
  if (whole !== 0 || !l.isBlocked(images) || !l.fits(output)) return false;
  const made = l.b.fresh(`${output}.blocked`);
  l.push({ ...node, inputs: [l.blocked(images), l.plain(which)], outputs: [made] });
  l.madeBlocked(output, made);
  return true;
};

/** Writes whole samples into a batch. */
export const scatterRows: Rule = (l, node) => {
  const [images, which, changed] = node.inputs as [ValueName, ValueName, ValueName];
  const overwrites = (attribute(node, "reduction", "string") ?? "none") === "none";
  const whole = l.shape(which).length === 2 && l.shape(which)[1] === 1;
  const fits = [images, changed].every((name) => l.fits(name) && l.isFloat(name));
  if (!overwrites || !whole || !fits || ![images, changed].some((name) => l.isBlocked(name))) return false;
  keepLayout(l, node, [images, changed]);
  return true;
};

/** Repeats every pixel over a square. With whole factors, all these coordinate modes choose the
 * same nearest pixel. */
export const resize: Rule = (l, node) => {
  const [x, , scales = ""] = node.inputs as [ValueName, ValueName?, ValueName?];
  const [output] = node.outputs as [ValueName];
  const stored = l.constant(scales);
  const factors = stored ? [...toNumbers(stored)] : [];
  const mode = [
    attribute(node, "mode", "string") ?? "nearest",
    attribute(node, "coordinate_transformation_mode", "string") ?? "half_pixel",
    attribute(node, "nearest_mode", "string") ?? "round_prefer_floor",
  ].join();
  const repeats = mode === "nearest,asymmetric,floor" || mode === "nearest,half_pixel,round_prefer_floor";
  const upwards = factors.length === 4 && factors[0] === 1 && factors[1] === 1 && factors.every(Number.isInteger);
  if (!repeats || !upwards || attribute(node, "axes", "ints") || !l.fits(x) || !l.isFloat(x)) return false;
  l.madeBlocked(output, l.nchwc("Upsample", [l.blocked(x)], { scales: ints(factors) }, `${output}.blocked`));
  return true;
};

/** Whole blocks have the same dimensions in both layouts. */
export const shape: Rule = (l, node) => {
  const [images] = node.inputs as [ValueName];
  if (!l.isBlocked(images)) return false;
  l.push({ ...node, inputs: [l.blocked(images)] });
  l.madePlain(node.outputs[0]);
  return true;
};
