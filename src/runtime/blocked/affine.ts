/** @file Rewrites maps y = scale * x + shift per channel as depthwise convolutions of one tap.
 *  A shift or a sum of images after a convolution becomes part of that convolution. */
import { fromNumbers } from "../../core/tensor.js";
import { attribute, int, ints } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { elementwise } from "./elementwise.js";
import { hasActivation } from "./fused.js";
import type { Layout } from "./layout.js";
import { equal, type Rule } from "./rule.js";

/** Whether a value is [c,1,1] or [1,c,1,1] for images of c channels. */
function isPerChannel(l: Layout, name: ValueName, images: ValueName): boolean {
  const [channels, ...inner] = l.shape(name).length === 4 ? l.shape(name).slice(1) : l.shape(name);
  const leads = l.shape(name).length === 3 || l.shape(name)[0] === 1;
  return leads && inner.length === 2 && inner.every((d) => d === 1) && channels === l.shape(images)[1];
}

/** y = scale * x + shift per channel, as a depthwise convolution of one tap.
 * @param scale [c,1,1,1] or the same numbers in another shape
 * @param shift [c] or "" */
function affine(l: Layout, x: ValueName, output: ValueName, scale: ValueName, shift: ValueName): void {
  const channels = l.shape(x)[1] as number;
  const weights = l.op("Reshape", [scale, l.b.ints([channels, 1, 1, 1])]);
  l.conv(output, [l.blocked(x), weights, shift], { group: int(channels), kernel_shape: ints([1, 1]) });
}

const ones = (l: Layout, channels: number): ValueName =>
  l.b.constant(fromNumbers("float32", [channels], new Float64Array(channels).fill(1)), "ones");

const flat = (l: Layout, name: ValueName): ValueName => l.op("Reshape", [name, l.b.ints([-1])]);

export const multiply: Rule = (l, node) => {
  const [x, w] = sides(l, node);
  if (!l.isBlocked(x) || !l.isFloat(x) || !isPerChannel(l, w, x)) return elementwise(l, node);
  affine(l, x, node.outputs[0], l.plain(w), "");
  return true;
};

/** The inputs of a node, with the images first. */
const sides = (l: Layout, { inputs }: Node): readonly [ValueName, ValueName] => {
  const [a, b] = inputs as [ValueName, ValueName];
  return l.isBlocked(a) ? [a, b] : [b, a];
};

export const add: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const [x, w] = sides(l, node);
  if (l.isBlocked(x) && l.isFloat(x) && isPerChannel(l, w, x)) {
    addShift(l, x, l.plain(w), output);
    return true;
  }
  return addImages(l, node) || elementwise(l, node);
};

function addShift(l: Layout, x: ValueName, shift: ValueName, output: ValueName): void {
  const bias = flat(l, shift);
  const conv = l.ownConv(x);
  if (conv && !conv.inputs[2] && !conv.inputs[3] && !hasActivation(conv))
    l.refit(x, output, { ...conv, inputs: [conv.inputs[0], conv.inputs[1], bias] });
  else affine(l, x, output, ones(l, l.shape(x)[1] as number), bias);
}

/** A convolution that adds other images while it writes its output. */
const addImages: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const [a, b] = node.inputs as [ValueName, ValueName];
  if (a === b || !l.fits(a) || !equal(l.shape(a), l.shape(b)) || !l.isFloat(a)) return false;
  for (const [own, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const conv = l.ownConv(own);
    if (!conv || conv.inputs[3] || hasActivation(conv)) continue;
    const [x, w, bias = ""] = conv.inputs as [ValueName, ValueName, ValueName?];
    l.refit(own, output, { ...conv, inputs: [x, w, bias, l.blocked(other)] });
    return true;
  }
  return false;
};

export const batchNormalization: Rule = (l, node) => {
  const [x, scale, shift, mean, variance] = node.inputs as [ValueName, ValueName, ValueName, ValueName, ValueName];
  if (!l.isBlocked(x) || node.outputs.length > 1) return false;
  const epsilon = l.b.scalar(attribute(node, "epsilon", "float") ?? 1e-5);
  const deviation = l.op("Sqrt", [l.op("Add", [l.plain(variance), epsilon])]);
  const slope = l.op("Div", [l.plain(scale), deviation]);
  const rest = l.op("Sub", [l.plain(shift), l.op("Mul", [l.plain(mean), slope])]);
  affine(l, x, node.outputs[0], slope, rest);
  return true;
};
