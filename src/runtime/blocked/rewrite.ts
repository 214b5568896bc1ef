/** @file Keeps images in blocked layout through a whole graph, gradients included. ONNX Runtime does that by itself only around
 *  convolutions whose weights are constants; a training step's are inputs, and its plain convolutions run at half the speed.
 *  Nothing but time changes: every rule is the operator it replaces, in another layout. */

import { sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { type Attributes, attribute, int, ints } from "../../graph/attributes.js";
import type { Graph, Node, ValueName } from "../../graph/graph.js";
import { axesOf } from "./axes.js";
import { activated, hasActivation, Layout, NCHWC } from "./layout.js";

/** Tries to make a node's output in blocked layout; false leaves it plain. */
type Rule = (l: Layout, node: Node) => boolean;

/** @param graph with types inferred
 *  @param block channels in a block on this machine */
export function blockedLayout(graph: Graph, block: number): Graph {
  const l = new Layout(graph, block);
  for (const node of graph.nodes) {
    if (node.domain === "" && RULES[node.opType]?.(l, node)) continue;
    for (const name of node.inputs) if (name) l.plain(name);
    l.push(node);
    for (const name of node.outputs) if (name) l.madePlain(name);
  }
  return l.build();
}

/** Nodes that work element by element do not see the layout, when all images have one shape and the rest are scalars. */
const elementwise: Rule = (l, node) => {
  const [output] = node.outputs as [ValueName];
  const images = node.inputs.filter((name) => !isScalar(l, name));
  const same = images.every((name) => l.fits(name) && equal(l.shape(name), l.shape(output)));
  if (images.length === 0 || !same || !images.some((name) => l.isBlocked(name))) return false;
  if (!images.every((name) => isAtHand(l, name)) || !staysBlocked(l, output)) return false;
  keepLayout(l, node, images);
  return true;
};

/** Only floats can change their layout: another type must stay as it is all the way to where it becomes a float. */
function staysBlocked(l: Layout, name: ValueName): boolean {
  if (l.isFloat(name)) return true;
  if (l.graph.outputs.some((o) => o.name === name)) return false;
  const takes = (input: ValueName): boolean =>
    input === name || isScalar(l, input) || (equal(l.shape(input), l.shape(name)) && isAtHand(l, input));
  return l.graph.nodes
    .filter((node) => node.inputs.includes(name))
    .every(
      (node) =>
        ELEMENTWISE.has(node.opType) && node.inputs.every(takes) && staysBlocked(l, node.outputs[0] as ValueName),
    );
}

/** Whether a value is blocked or can become so. */
const isAtHand = (l: Layout, name: ValueName): boolean => l.isFloat(name) || l.isBlocked(name);

const isScalar = (l: Layout, name: ValueName): boolean => l.shape(name).every((d) => d === 1);
const equal = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** [c,1,1] or [1,c,1,1] beside images of c channels. */
function isPerChannel(l: Layout, name: ValueName, images: ValueName): boolean {
  const [channels, ...inner] = l.shape(name).length === 4 ? l.shape(name).slice(1) : l.shape(name);
  const leads = l.shape(name).length === 3 || l.shape(name)[0] === 1;
  return leads && inner.length === 2 && inner.every((d) => d === 1) && channels === l.shape(images)[1];
}

/** y = scale * x + shift per channel: a depthwise convolution of one tap.
 * @param scale [c,1,1,1] or like it; `shift` [c] or "" */
function affine(l: Layout, x: ValueName, output: ValueName, scale: ValueName, shift: ValueName): void {
  const channels = l.shape(x)[1] as number;
  const weights = l.op("Reshape", [scale, l.b.ints([channels, 1, 1, 1])]);
  l.conv(output, [l.blocked(x), weights, shift], { group: int(channels), kernel_shape: ints([1, 1]) });
}

const ones = (l: Layout, channels: number): ValueName =>
  l.b.constant(fromNumbers("float32", [channels], new Float64Array(channels).fill(1)), "ones");

const flat = (l: Layout, name: ValueName): ValueName => l.op("Reshape", [name, l.b.ints([-1])]);

const multiply: Rule = (l, node) => {
  const [x, w] = sides(l, node);
  if (!l.isBlocked(x) || !l.isFloat(x) || !isPerChannel(l, w, x)) return elementwise(l, node);
  affine(l, x, node.outputs[0] as ValueName, l.plain(w), "");
  return true;
};

/** The images first. */
const sides = (l: Layout, { inputs }: Node): readonly [ValueName, ValueName] => {
  const [a, b] = inputs as [ValueName, ValueName];
  return l.isBlocked(a) ? [a, b] : [b, a];
};

const add: Rule = (l, node) => {
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
    l.refit(x, output, { ...conv, inputs: [conv.inputs[0] as ValueName, conv.inputs[1] as ValueName, bias] });
  else affine(l, x, output, ones(l, l.shape(x)[1] as number), bias);
}

/** A convolution adds other images while it writes its own. */
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

const relu: Rule = (l, node) => {
  const [x, output] = [node.inputs[0] as ValueName, node.outputs[0] as ValueName];
  const conv = l.ownConv(x);
  if (!conv || hasActivation(conv)) return elementwise(l, node);
  l.refit(x, output, activated(conv, "Relu"));
  return true;
};

const conv: Rule = (l, node) => {
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
  const blocked = l.isBlocked(w) ? l.blocked(w) : groups === 1 && !thin ? bothBlocked(l, w) : outputsBlocked(l, w);
  l.conv(node.outputs[0] as ValueName, [thin ? l.plain(x) : l.blocked(x), blocked, bias && l.plain(bias)], {
    ...node.attributes,
    kernel_shape: ints(kernel),
  });
  return true;
};

/** W [o, i, ...k] as [o / block, i, ...k, block of o]: for few input channels, and for depthwise convolutions. */
function outputsBlocked(l: Layout, w: ValueName): ValueName {
  const [o, ...rest] = l.shape(w) as [number, ...number[]];
  return l.op("Reshape", [outputsInside(l, w, o, sizeOf(rest)), l.b.ints([o, ...rest])]);
}

/** W [o, i, ...k] as [o / block, i / block, ...k, block of i, block of o]. In two steps that move one axis each, since ONNX Runtime
 *  is slow at moving several. */
function bothBlocked(l: Layout, w: ValueName): ValueName {
  const [o, i, ...k] = l.shape(w) as [number, number, ...number[]];
  const taps = sizeOf(k);
  const inside = outputsInside(l, w, o, i * taps);
  if (taps === 1) return l.op("Reshape", [inside, l.b.ints([o, i, ...k])]);
  const split = l.op("Reshape", [inside, l.b.ints([(o * i) / l.block ** 2, l.block, taps, l.block])]);
  const turned = l.op("Transpose", [split], { perm: ints([0, 2, 1, 3]) });
  return l.op("Reshape", [turned, l.b.ints([o, i, ...k])]);
}

/** W [o, each] as [o / block, each, block of o]. */
function outputsInside(l: Layout, w: ValueName, o: number, each: number): ValueName {
  const split = l.op("Reshape", [l.plain(w), l.b.ints([o / l.block, l.block, each])]);
  return l.op("Transpose", [split], { perm: ints([0, 2, 1]) });
}

const batchNormalization: Rule = (l, node) => {
  const [x, scale, shift, mean, variance] = node.inputs as [ValueName, ValueName, ValueName, ValueName, ValueName];
  if (!l.isBlocked(x) || node.outputs.length > 1) return false;
  const epsilon = l.b.scalar(attribute(node, "epsilon", "float") ?? 1e-5);
  const deviation = l.op("Sqrt", [l.op("Add", [l.plain(variance), epsilon])]);
  const slope = l.op("Div", [l.plain(scale), deviation]);
  const rest = l.op("Sub", [l.plain(shift), l.op("Mul", [l.plain(mean), slope])]);
  affine(l, x, node.outputs[0] as ValueName, slope, rest);
  return true;
};

/** Over batch and space: the mean over space is a blocked operator, and its [n, c, 1, 1] is the same in both layouts. */
const reduction =
  (mean: boolean): Rule =>
  (l, node) => {
    const [x] = node.inputs as [ValueName];
    const axes = axesOf(l.graph, node);
    if (!l.isBlocked(x) || !l.isFloat(x) || axes?.join() !== "0,2,3") return false;
    const [, channels, height, width] = l.shape(x) as [unknown, number, number, number];
    const pooled = l.b.fresh("pooled");
    l.push({
      opType: "GlobalAveragePool",
      domain: NCHWC,
      name: "",
      inputs: [l.blocked(x)],
      outputs: [pooled],
      attributes: {},
    });
    const rows = l.op("Reshape", [pooled, l.b.ints([-1, channels])]);
    const reduced = mean
      ? l.op("ReduceMean", [rows], { axes: ints([0]), keepdims: int(0) })
      : sumOfRows(l, rows, height * width);
    const kept = attribute(node, "keepdims", "int") !== 0;
    const output = node.outputs[0] as ValueName;
    l.push({
      opType: "Reshape",
      domain: "",
      name: "",
      inputs: [reduced, l.b.ints(kept ? [1, channels, 1, 1] : [channels])],
      outputs: [output],
      attributes: {},
    });
    l.madePlain(output);
    return true;
  };

const sumOfRows = (l: Layout, rows: ValueName, each: number): ValueName =>
  l.op("Mul", [l.op("ReduceSum", [rows, l.b.ints([0])], { keepdims: int(0) }), l.b.scalar(each)]);

/** Zeros around images, or a part of them: a depthwise convolution with a single 1 per kernel, which runs on all threads. */
const pad: Rule = (l, node) => {
  const [x, amounts, value = "", axes = ""] = node.inputs as [ValueName, ValueName, ValueName?, ValueName?];
  const [output] = node.outputs as [ValueName];
  const stored = l.graph.initializers.get(amounts);
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

/** Every stride-th pixel from some place on: a depthwise convolution whose kernel reaches to that place. */
const slice: Rule = (l, node) => {
  const [x] = node.inputs as [ValueName];
  const [output] = node.outputs as [ValueName];
  const numbers = node.inputs.slice(1).map((name) => l.graph.initializers.get(name));
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

/** Kernel along one axis that cuts where a pad is negative: its length, and where the 1 stands. */
const span = (before: number, after: number): Tap => ({
  length: 1 + Math.max(0, -before) + Math.max(0, -after),
  at: Math.max(0, -before),
});

/** A depthwise kernel with 1 at one tap, in blocked layout: [c / block, 1, rows, columns, block]. */
function oneTap(l: Layout, channels: number, rows: Tap, columns: Tap): ValueName {
  const taps = rows.length * columns.length;
  const data = new Float64Array(channels * taps);
  const tap = rows.at * columns.length + columns.at;
  for (let c = 0; c < channels; c++) data[Math.floor(c / l.block) * taps * l.block + tap * l.block + (c % l.block)] = 1;
  return l.b.constant(fromNumbers("float32", [channels, 1, rows.length, columns.length], data), "tap");
}

/** Channels last: one copy away from either layout. */
const transpose: Rule = (l, node) => {
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

/** Samples side by side as channels: blocks stay what they are. As [planes, 1, h, w] they are depthwise kernels, whose blocked
 *  layout is that of images. */
const reshape: Rule = (l, node) => {
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

/** Whether every reader is a convolution that is going to be a blocked depthwise one. */
const readAsDepthwiseKernels = (l: Layout, name: ValueName): boolean =>
  !l.graph.outputs.some((o) => o.name === name) &&
  l.graph.nodes
    .filter((node) => node.inputs.includes(name))
    .every(
      (node) => node.opType === "Conv" && node.inputs[1] === name && l.shape(name)[0] === l.shape(node.inputs[0])[1],
    );

/** Whole blocks of zero channels: the same in both layouts. */
function padChannels(l: Layout, node: Node, pads: readonly number[]): boolean {
  const inner = [2, 3, 6, 7].every((i) => pads[i] === 0);
  if (!inner || pads[1] % l.block !== 0 || pads[5] % l.block !== 0) return false;
  keepLayout(l, node, [node.inputs[0] as ValueName]);
  return true;
}

/** Images side by side along their channels, whole blocks each. */
const concat: Rule = (l, node) => {
  const axis = attribute(node, "axis", "int");
  if (axis !== 1 || !node.inputs.every((name) => l.fits(name)) || !node.inputs.some((name) => l.isBlocked(name)))
    return false;
  keepLayout(l, node, node.inputs);
  return true;
};

/** The node as it is, on blocked images in place of plain ones. */
function keepLayout(l: Layout, node: Node, images: readonly ValueName[]): void {
  const output = node.outputs[0] as ValueName;
  const made = l.b.fresh(`${output}.blocked`);
  const inputs = node.inputs.map((name) => (images.includes(name) ? l.blocked(name) : name && l.plain(name)));
  l.push({ ...node, inputs, outputs: [made] });
  l.madeBlocked(output, made);
}

/** Pools without indices, dilations or ceiling. */
const pool: Rule = (l, node) => {
  const [x, output] = [node.inputs[0] as ValueName, node.outputs[0] as ValueName];
  const plain =
    node.outputs.length === 1 &&
    l.shape(x).length === 4 &&
    (attribute(node, "ceil_mode", "int") ?? 0) === 0 &&
    (attribute(node, "auto_pad", "string") ?? "NOTSET") === "NOTSET" &&
    (attribute(node, "dilations", "ints") ?? []).every((d) => d === 1);
  if (!plain || !l.isBlocked(x)) return false;
  const made = l.b.fresh(`${output}.blocked`);
  l.push({ ...node, domain: NCHWC, inputs: [l.blocked(x)], outputs: [made], attributes: poolAttributes(node) });
  l.madeBlocked(output, made);
  return true;
};

const poolAttributes = ({
  attributes: { ceil_mode: _, dilations: __, storage_order: ___, ...rest },
}: Node): Attributes => rest;

const ELEMENTWISE = new Set([
  "Add",
  "Mul",
  "Sub",
  "Div",
  "Max",
  "Min",
  "Relu",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Equal",
  "And",
  "Or",
  "Not",
  "Cast",
  "Where",
  "Neg",
  "Abs",
  "Sign",
  "Sqrt",
  "Exp",
  "Log",
  "Sigmoid",
  "Tanh",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Clip",
  "Reciprocal",
  "Identity",
]);

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries([...ELEMENTWISE].map((type) => [type, elementwise])),
  Mul: multiply,
  Add: add,
  Relu: relu,
  Conv: conv,
  BatchNormalization: batchNormalization,
  ReduceMean: reduction(true),
  ReduceSum: reduction(false),
  Pad: pad,
  Slice: slice,
  Transpose: transpose,
  Reshape: reshape,
  Concat: concat,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: pool,
};
