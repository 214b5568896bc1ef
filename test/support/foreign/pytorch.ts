/** @file Models in the forms of PyTorch's exporters: the tracing one from opset 7 on, and the one of torch.export from opset 18 on. */
import { fromNumbers } from "../../../src/core/tensor.js";
import { codeOf, Drawing, float } from "./drawing.js";
import type { ForeignModel } from "./model.js";

const IMAGE = [3, 8, 8] as const;

/** The first releases: values have numbers for names, and weights are inputs too. */
const old = (opset: number): Drawing =>
  new Drawing({ opset, ir: opset < 9 ? 3 : 4, producer: "pytorch", listed: true, naming: (_, k) => String(20 + k) });
/** torch.onnx.export(dynamo=True). */
const dynamo = (opset: number, more: { readonly domains?: string[] } = {}): Drawing =>
  new Drawing({
    opset,
    ir: 10,
    producer: "pytorch",
    naming: (type, k) => (k === 0 ? type.toLowerCase() : `val_${k}`),
    ...more,
  });

const conv = (d: Drawing, x: string, to = 6, from = 3): string =>
  d.op("Conv", [x, d.weight(`features.${from}.weight`, [to, from, 3, 3]), d.weight(`features.${from}.bias`, [to])], {
    dilations: [1, 1],
    group: 1,
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    strides: [2, 2],
  });
const gemm = (d: Drawing, x: string, from: number, to: number, output?: string): string =>
  d.op(
    "Gemm",
    [x, d.weight(`fc${from}.weight`, [to, from]), d.weight(`fc${from}.bias`, [to])],
    { alpha: float(1), beta: float(1), transB: 1 },
    output === undefined ? {} : { output },
  );

/** A batch of 1 in a Reshape, and Dropout with its ratio as an attribute. */
function constantShapes(opset: number): Uint8Array {
  const d = old(opset);
  const features = d.op("Relu", [conv(d, d.input("0", [1, 3, 8, 8]))]);
  const shape = d.op("Constant", [], { value: fromNumbers("int64", [2], [1, 96]) });
  const flat = d.op("Reshape", [
    d.op("MaxPool", [features], { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0] }),
    shape,
  ]);
  const [dropped] = d.ops("Dropout", [flat], opset < 10 ? 1 : 2, { ratio: float(0.5) });
  d.output(gemm(d, dropped ?? "", 96, 4), [1, 4]);
  return d.bytes();
}

/** x.view(x.size(0), -1) as it was traced. */
function tracedView(): Uint8Array {
  const d = old(9);
  const features = d.op("Relu", [conv(d, d.input("input.1", ["batch_size", 3, 8, 8]))]);
  const zero = d.op("Constant", [], { value: fromNumbers("int64", [], [0]) });
  const size = d.op("Gather", [d.op("Shape", [features]), zero], { axis: 0 });
  const rest = d.op("Constant", [], { value: fromNumbers("int64", [], [-1]) });
  const parts = [size, rest].map((v) => d.op("Unsqueeze", [v], { axes: [0] }));
  const flat = d.op("Reshape", [features, d.op("Concat", parts, { axis: 0 })]);
  d.output(gemm(d, flat, 96, 4), ["batch_size", 4]);
  return d.bytes();
}

/** F.pad as scripts of opset 11 have it: the list of pads is computed. */
function computedPads(): Uint8Array {
  const d = new Drawing({ opset: 11, ir: 6, producer: "pytorch", naming: (_, k) => String(20 + k) });
  const x = d.input("input", ["N", 3, 8, 8]);
  const given = d.op("Constant", [], { value: fromNumbers("int64", [4], [1, 0, 1, 0]) });
  const none = d.op("ConstantOfShape", [d.ints("four", 4)], { value: fromNumbers("int64", [1], [0]) });
  const pairs = d.op("Reshape", [d.op("Concat", [given, none], { axis: 0 }), d.ints("two", -1, 2)]);
  const slice = [d.ints("start", -1), d.ints("end", -(2 ** 31)), d.ints("axis", 0), d.ints("step", -1)];
  const turned = d.op("Transpose", [d.op("Slice", [pairs, ...slice])], { perm: [1, 0] });
  const pads = d.op("Cast", [d.op("Reshape", [turned, d.ints("all", -1)])], { to: codeOf("int64") });
  const padded = d.op("Pad", [x, pads, d.constant("zero", [], [0])], { mode: "constant" });
  const features = d.op("Clip", [conv(d, padded), d.constant("min", [], [0]), d.constant("max", [], [6])]);
  d.output(gemm(d, d.op("Flatten", [d.op("GlobalAveragePool", [features])], { axis: 1 }), 6, 4, "output"), ["N", 4]);
  return d.bytes();
}

/** A decoder at opset 9: Upsample, and Slice with attributes. */
function upsampled(): Uint8Array {
  const d = old(9);
  const features = conv(d, d.input("input", ["N", 3, 8, 8]));
  const scales = d.op("Constant", [], { value: fromNumbers("float32", [4], [1, 1, 2, 2]) });
  const wide = d.op("Upsample", [features, scales], { mode: "nearest" });
  const cut = d.op("Slice", [wide], { axes: [2, 3], starts: [0, 1], ends: [7, 2 ** 31 - 1] });
  d.output(gemm(d, d.op("Flatten", [d.op("GlobalAveragePool", [cut])], { axis: 1 }), 6, 4), ["N", 4]);
  return d.bytes();
}

/** Exported in training mode, where Dropout stays as it is. */
function training(ratio: number, mode = 1): Uint8Array {
  const d = new Drawing({ opset: 13, producer: "pytorch", naming: (type, k) => `/head/${type}_output_${k}` });
  const pooled = d.op("Flatten", [d.op("GlobalAveragePool", [d.op("Relu", [conv(d, d.input("x", ["n", 3, 8, 8]))])])]);
  const inputs = [pooled, d.constant("ratio", [], [ratio]), d.constant("training", [], [mode], "bool")];
  const [dropped] = d.ops("Dropout", inputs, 2, {}, { name: "/head/drop/Dropout" });
  d.output(gemm(d, dropped ?? "", 6, 4, "logits"), ["n", 4]);
  return d.bytes();
}

/** log_softmax at the end, as PyTorch's MNIST example has it; two nodes of one name; the output listed twice. */
function logSoftmax(...names: readonly [string, string]): Uint8Array {
  const d = new Drawing({ opset: 12, producer: "pytorch", naming: (_, k) => String(20 + k) });
  const x = d.op("Relu", [conv(d, d.input("data", ["n", 1, 8, 8]), 6, 1)], {}, { name: names[0] });
  const flat = d.op("Flatten", [x], { axis: 1 }, { name: names[1] });
  const answer = d.op("LogSoftmax", [gemm(d, flat, 96, 4)], { axis: 1 }, { output: "output" });
  d.output(answer, ["n", 4]);
  d.output(answer, ["n", 4]);
  return d.bytes();
}

/** A class token expanded to the batch of 1, as exporters write it without dynamic axes. The mean of all tokens is added to it. */
function classToken(): Uint8Array {
  const d = new Drawing({ opset: 14, producer: "pytorch", naming: (type, k) => `/${type}_output_${k}` });
  const patches = d.op("Conv", [d.input("pixel_values", [1, 3, 8, 8]), d.weight("proj.weight", [6, 3, 4, 4])], {
    strides: [4, 4],
  });
  const tokens = d.op("Transpose", [d.op("Reshape", [patches, d.ints("shape", 1, 6, 4)])], { perm: [0, 2, 1] });
  const wanted = d.ints("sizes", 1, -1, -1);
  const ones = d.op("ConstantOfShape", [d.ints("rank", 3)], { value: fromNumbers("int64", [1], [1]) });
  const kept = d.op("Equal", [wanted, d.op("Mul", [ones, d.constant("minus", [], [-1], "int64")])]);
  const token = d.op("Expand", [d.weight("cls_token", [1, 1, 6]), d.op("Where", [kept, ones, wanted])]);
  const all = d.op("Concat", [token, tokens], { axis: 1 });
  const mixed = d.op("Add", [all, d.op("ReduceMean", [all], { axes: [1], keepdims: 1 })]);
  const first = d.op("Gather", [d.op("Relu", [mixed]), d.constant("first", [], [0], "int64")], { axis: 1 });
  d.output(gemm(d, first, 6, 4, "logits"), [1, 4]);
  return d.bytes();
}

/** torch.export names, symbolic sizes, opset 18: ReduceMean takes its axes as an input. */
function exported(batch: string | number): Uint8Array {
  const d = dynamo(18);
  const features = d.op("Relu", [conv(d, d.input("x", [batch, 3, 8, 8]))], {}, { name: "node_relu" });
  const mean = d.op("ReduceMean", [features, d.ints("val_axes", -1, -2)], { keepdims: 1, noop_with_empty_axes: 0 });
  const rows = d.op("Reshape", [mean, d.ints("val_shape", typeof batch === "number" ? batch : -1, 6)], {
    allowzero: 1,
  });
  d.output(gemm(d, rows, 6, 4, "linear"), [batch, 4]);
  return d.bytes();
}

/** Layer norm and Gelu as single nodes. */
function tokens(opset: number): Uint8Array {
  const d = dynamo(opset);
  const patches = d.op("Conv", [d.input("x", ["s0", 3, 8, 8]), d.weight("embed.weight", [6, 3, 4, 4])], {
    strides: [4, 4],
  });
  const rows = d.op("Transpose", [d.op("Reshape", [patches, d.ints("val_shape", 0, 6, 4)])], { perm: [0, 2, 1] });
  const norm = d.op("LayerNormalization", [rows, d.positive("norm.weight", 6), d.weight("norm.bias", [6])], {
    axis: -1,
  });
  const wide = d.op("Gelu", [d.op("MatMul", [norm, d.weight("mlp.weight", [6, 6])])], { approximate: "none" });
  const mean = d.op("ReduceMean", [d.op("Add", [rows, wide]), d.ints("val_axes", 1)], { keepdims: 0 });
  d.output(gemm(d, mean, 6, 4, "linear"), ["s0", 4]);
  return d.bytes();
}

/** Opset 23: the norm of language models. */
function rmsNorm(): Uint8Array {
  const d = dynamo(23);
  const features = d.op("GlobalAveragePool", [d.op("Relu", [conv(d, d.input("x", ["batch", 3, 8, 8]))])]);
  const rows = d.op("Reshape", [features, d.ints("val_shape", -1, 6)]);
  const norm = d.op("RMSNormalization", [rows, d.positive("norm.weight", 6)], { axis: -1, epsilon: float(1e-5) });
  d.output(gemm(d, norm, 6, 4, "linear"), ["batch", 4]);
  return d.bytes();
}

/** Channels, height and width left open by dynamic axes. */
function openAxes(...size: readonly (number | string)[]): Uint8Array {
  const d = dynamo(21);
  const features = conv(d, d.input("x", ["batch", "channels", ...size]));
  const norm = d.op("GroupNormalization", [features, d.positive("gn.weight", 6), d.weight("gn.bias", [6])], {
    num_groups: 2,
  });
  const pooled = d.op("Flatten", [d.op("GlobalAveragePool", [d.op("Relu", [norm])])]);
  d.output(gemm(d, pooled, 6, 4, "linear"), ["batch", 4]);
  return d.bytes();
}

/** The first releases of that exporter wrote each ATen operator as a function of the file. */
function withFunctions(): Uint8Array {
  const domain = "pkg.onnxscript.torch_lib";
  const body = [{ opType: "Relu", input: ["self"], output: ["result"] }];
  const functions = [
    {
      name: "aten_relu",
      domain,
      input: ["self"],
      output: ["result"],
      node: body,
      opsetImport: [{ domain: "", version: 18n }],
    },
  ];
  const d = new Drawing({ opset: 18, ir: 8, producer: "pytorch", domains: [domain], functions });
  const features = d.op("aten_relu", [conv(d, d.input("l_x_", ["s0", 3, 8, 8]))], {}, { domain });
  const pooled = d.op("Flatten", [d.op("GlobalAveragePool", [features])]);
  d.output(gemm(d, pooled, 6, 4, "fc_1"), ["s0", 4]);
  return d.bytes();
}

const TRACED = "PyTorch, tracing";
const EXPORT = "PyTorch, torch.export";
const single = { single: true } as const;

export const PYTORCH: readonly ForeignModel[] = [
  {
    maker: TRACED,
    form: "opset 7, a batch of 1 in a Reshape, numbers for names",
    image: IMAGE,
    feed: single,
    exits: { 26: "logits" },
    bytes: () => constantShapes(7),
  },
  {
    maker: TRACED,
    form: "opset 10, the same with a Dropout of two outputs",
    image: IMAGE,
    feed: single,
    exits: { 26: "logits" },
    bytes: () => constantShapes(10),
  },
  {
    maker: TRACED,
    form: "opset 9, the view computed from Shape",
    image: IMAGE,
    exits: { 30: "logits" },
    bytes: tracedView,
  },
  {
    maker: TRACED,
    form: "opset 11, pads computed by a chain of ten nodes",
    image: IMAGE,
    exits: { output: "logits" },
    bytes: computedPads,
  },
  {
    maker: TRACED,
    form: "opset 9, Upsample and Slice with attributes",
    image: IMAGE,
    exits: { 26: "logits" },
    bytes: upsampled,
  },
  {
    maker: TRACED,
    form: "Dropout of ratio 0 in training mode",
    image: IMAGE,
    exits: { logits: "logits" },
    bytes: () => training(0),
  },
  {
    maker: TRACED,
    form: "Dropout of ratio 0.5 in training mode",
    code: "model/attribute",
    says: 'Dropout "/head/drop/Dropout"',
    bytes: () => training(0.5),
    exported: () => training(0.5, 0),
  },
  {
    maker: TRACED,
    form: "LogSoftmax, two nodes of one name, the output listed twice",
    image: [1, 8, 8],
    exits: { output: "log probabilities" },
    bytes: () => logSoftmax("Relu_1", "Relu_1"),
    plain: () => logSoftmax("Relu_1", "Flatten_2"),
  },
  {
    maker: TRACED,
    form: "a class token expanded to a batch of 1",
    image: IMAGE,
    feed: single,
    exits: { logits: "logits" },
    bytes: classToken,
  },
  {
    maker: EXPORT,
    form: "opset 18, axes as inputs, symbolic sizes",
    image: IMAGE,
    exits: { linear: "logits" },
    bytes: () => exported("s77"),
  },
  {
    maker: EXPORT,
    form: "opset 18, a batch of 1 in a Reshape with allowzero",
    image: IMAGE,
    feed: single,
    exits: { linear: "logits" },
    bytes: () => exported(1),
  },
  {
    maker: EXPORT,
    form: "opset 20, LayerNormalization and Gelu as nodes",
    image: IMAGE,
    exits: { linear: "logits" },
    bytes: () => tokens(20),
  },
  { maker: EXPORT, form: "opset 22", image: IMAGE, exits: { linear: "logits" }, bytes: () => tokens(22) },
  { maker: EXPORT, form: "opset 23, RMSNormalization", image: IMAGE, exits: { linear: "logits" }, bytes: rmsNorm },
  {
    maker: EXPORT,
    form: "opset 21, an open axis for the channels",
    image: IMAGE,
    exits: { linear: "logits" },
    bytes: () => openAxes(8, 8),
  },
  {
    maker: EXPORT,
    form: "opset 21, open axes for channels, height and width",
    code: "shape/unknown",
    says: "Give the image size",
    bytes: () => openAxes("height", "width"),
    exported: () => openAxes(8, 8),
  },
  {
    maker: EXPORT,
    form: "local functions",
    code: "model/op",
    says: "functions: aten_relu",
    bytes: withFunctions,
    exported: () => exported("s77"),
  },
];
