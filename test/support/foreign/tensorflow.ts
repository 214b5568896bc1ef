/** @file Models in the forms of tf2onnx, keras2onnx and Keras: channels last, slashes and ":0" in names, an Identity at the end. */
import { codeOf, Drawing, float } from "./drawing.js";
import type { ForeignModel } from "./model.js";

const IMAGE = [3, 8, 8] as const;
const TO_FIRST = { perm: [0, 3, 1, 2] };
const TO_LAST = { perm: [0, 2, 3, 1] };

const named = (prefix: string) => (type: string, k: number) => `${prefix}/${type.toLowerCase()}_${k}:0`;

/** A classifier after tf2onnx: Transpose, Conv, Transpose back, Reshape of [n,h,w,c] to rows, MatMul and Add. */
function tf2onnx(
  opset: number,
  end: (d: Drawing, logits: string) => string,
  batch: number | string = "unk__17",
): Drawing {
  const d = new Drawing({ opset, producer: "tf2onnx", naming: named("StatefulPartitionedCall/sequential") });
  const first = d.op("Transpose", [d.input("input_1:0", [batch, 8, 8, 3])], TO_FIRST);
  const kernel = d.weight("sequential/conv2d/Conv2D/ReadVariableOp:0", [6, 3, 3, 3]);
  const bias = d.weight("sequential/conv2d/BiasAdd/ReadVariableOp:0", [6]);
  const conv = d.op("Conv", [first, kernel, bias], {
    strides: [2, 2],
    auto_pad: "SAME_UPPER",
    group: 1,
    kernel_shape: [3, 3],
  });
  const last = d.op("Transpose", [d.op("Relu", [conv])], TO_LAST);
  const flat = d.op("Reshape", [last, d.ints("const_fold_opt__24", -1, 96)]);
  const product = d.op("MatMul", [flat, d.weight("sequential/dense/MatMul/ReadVariableOp:0", [96, 4])]);
  const logits = d.op("Add", [product, d.weight("sequential/dense/BiasAdd/ReadVariableOp:0", [4])]);
  d.output(d.op("Identity", [end(d, logits)], {}, { output: "Identity:0" }), [batch, 4]);
  return d;
}

const asIs = (_: Drawing, logits: string): string => logits;
const softmax = (d: Drawing, logits: string): string => d.op("Softmax", [logits], { axis: 1 });

/** keras2onnx: the pixels are scaled inside, and the names are those of layers. */
function keras(end: (d: Drawing, pooled: string) => void): Uint8Array {
  const d = new Drawing({ opset: 11, producer: "keras2onnx", naming: (type, k) => `${type.toLowerCase()}${k}_tensor` });
  const scaled = d.op("Mul", [d.input("input_1", ["N", 8, 8, 3]), d.constant("rescaling/scale", [1], [1 / 127.5])]);
  const shifted = d.op("Sub", [scaled, d.constant("rescaling/offset", [1], [1])]);
  const x = d.op("Transpose", [shifted], TO_FIRST, { name: "Transpose6", output: "adjusted_input1" });
  const conv = d.op("Conv", [x, d.weight("conv2d/kernel:0", [8, 3, 3, 3]), d.weight("conv2d/bias:0", [8])], {
    auto_pad: "SAME_UPPER",
    dilations: [1, 1],
    strides: [1, 1],
  });
  end(d, d.op("Squeeze", [d.op("GlobalAveragePool", [d.op("Relu", [conv])])], { axes: [2, 3] }));
  return d.bytes();
}

const dense = (d: Drawing, x: string, from: number, to: number): string =>
  d.op("Add", [d.op("MatMul", [x, d.weight(`dense/kernel:0`, [from, to])]), d.weight("dense/bias:0", [to])]);

/** MobileNet of Keras at opset 10: the bounds of Clip and the pads of Pad are attributes. */
function mobile(): Uint8Array {
  const d = new Drawing({ opset: 10, producer: "tf2onnx", naming: named("mobilenet") });
  const x = d.op("Transpose", [d.input("input:0", ["batch", 8, 8, 3])], TO_FIRST);
  const padded = d.op("Pad", [x], { pads: [0, 0, 0, 0, 0, 0, 1, 1], value: float(0) });
  const conv = d.op("Conv", [padded, d.weight("conv1/kernel:0", [6, 3, 3, 3])], { strides: [2, 2] });
  const norm = d.op(
    "BatchNormalization",
    [conv, d.positive("gamma", 6), d.weight("beta", [6]), d.weight("mean", [6]), d.positive("var", 6)],
    {
      epsilon: float(0.001),
    },
  );
  const clip = d.op("Clip", [norm], { min: float(0), max: float(6) });
  const deep = d.op("Conv", [clip, d.weight("depthwise:0", [6, 1, 3, 3])], { group: 6, pads: [1, 1, 1, 1] });
  const mean = d.op("ReduceMean", [d.op("Clip", [deep], { min: float(0), max: float(6) })], {
    axes: [2, 3],
    keepdims: 1,
  });
  const head = d.op("Conv", [mean, d.weight("preds/kernel:0", [4, 6, 1, 1]), d.weight("preds/bias:0", [4])]);
  const rows = d.op("Reshape", [d.op("Transpose", [head], TO_LAST), d.ints("shape", -1, 4)]);
  d.output(d.op("Softmax", [rows], { axis: 1 }, { output: "act_softmax/Softmax:0" }), ["batch", 4]);
  return d.bytes();
}

/** A served model: bytes in, Cast and a division inside, channels last. */
function bytesIn(): Uint8Array {
  const d = new Drawing({ opset: 13, producer: "tf2onnx", naming: named("serving_default") });
  const cast = d.op("Cast", [d.input("image_bytes:0", ["unk__5", 8, 8, 3], "uint8")], { to: codeOf("float32") });
  const x = d.op("Transpose", [d.op("Div", [cast, d.constant("truediv/y:0", [], [255])])], TO_FIRST);
  const conv = d.op("Conv", [x, d.weight("kernel:0", [6, 3, 3, 3])], { strides: [2, 2] });
  const pooled = d.op("Flatten", [d.op("GlobalAveragePool", [d.op("Relu", [conv])])], { axis: 1 });
  d.output(d.op("Identity", [dense(d, pooled, 6, 4)], {}, { output: "scores:0" }), ["unk__5", 4]);
  return d.bytes();
}

/** A Keras network for MNIST with the batch of 1 in its file. */
function mnist(): Uint8Array {
  const d = new Drawing({ opset: 12, producer: "tf2onnx", naming: named("mnist") });
  const x = d.op("Reshape", [d.input("flatten_input", [1, 8, 8, 1]), d.ints("new_shape", 1, 64)]);
  const hidden = d.op("Relu", [dense(d, x, 64, 12)]);
  const w = d.weight("dense_1/kernel:0", [12, 4]);
  d.output(d.op("Softmax", [d.op("MatMul", [hidden, w])], { axis: -1 }, { output: "dense_1" }), [1, 4]);
  return d.bytes();
}

/** Mixed precision: float32 outside, float16 between two Casts. */
function mixed(): Uint8Array {
  const d = new Drawing({ opset: 15, producer: "tf2onnx", naming: named("mixed") });
  const x = d.op("Cast", [d.input("images", ["N", 8, 8, 3])], { to: codeOf("float16") });
  const first = d.op("Transpose", [x], TO_FIRST);
  const conv = d.op("Conv", [first, d.weight("kernel:0", [6, 3, 3, 3], "float16")], { strides: [2, 2] });
  const pooled = d.op("Flatten", [d.op("GlobalAveragePool", [d.op("Relu", [conv])])], { axis: 1 });
  const logits = d.op("MatMul", [pooled, d.weight("dense/kernel:0", [6, 4], "float16")]);
  d.output(d.op("Cast", [logits], { to: codeOf("float32") }, { output: "logits" }), ["N", 4]);
  return d.bytes();
}

const last = { last: true } as const;

export const TENSORFLOW: readonly ForeignModel[] = [
  {
    maker: "tf2onnx",
    form: "channels last, names with `:0`, Identity at the end",
    image: IMAGE,
    feed: last,
    exits: { "Identity:0": "logits" },
    bytes: () => tf2onnx(13, asIs).bytes(),
  },
  {
    maker: "tf2onnx",
    form: "opset 9, Softmax before the Identity",
    image: IMAGE,
    feed: last,
    exits: { "Identity:0": "probabilities" },
    bytes: () => tf2onnx(9, softmax).bytes(),
  },
  {
    maker: "tf2onnx",
    form: "a batch of 1 in the input's shape",
    image: IMAGE,
    feed: { last: true, single: true },
    exits: { "Identity:0": "logits" },
    bytes: () => tf2onnx(15, asIs, 1).bytes(),
  },
  {
    maker: "tf2onnx",
    form: "MobileNet at opset 10: bounds and pads are attributes",
    image: IMAGE,
    feed: last,
    exits: { "act_softmax/Softmax:0": "probabilities" },
    bytes: mobile,
  },
  {
    maker: "tf2onnx",
    form: "uint8 pixels, channels last, Cast and Div inside",
    image: IMAGE,
    feed: { last: true, times: 255, dtype: "uint8" },
    exits: { "scores:0": "logits" },
    bytes: bytesIn,
  },
  {
    maker: "tf2onnx",
    form: "a batch of 1 in a Reshape, one channel, channels last",
    image: [1, 8, 8],
    feed: { last: true, single: true },
    exits: { dense_1: "probabilities" },
    bytes: mnist,
  },
  {
    maker: "tf2onnx",
    form: "mixed precision: float16 between two Casts",
    image: IMAGE,
    feed: last,
    exits: { logits: "logits" },
    tolerance: 0.01,
    bytes: mixed,
  },
  {
    maker: "keras2onnx",
    form: "pixels in 0 to 255, rescaled inside before the Transpose",
    image: IMAGE,
    feed: { last: true, times: 255 },
    exits: { dense: "probabilities" },
    bytes: () =>
      keras((d, x) => d.output(d.op("Softmax", [dense(d, x, 8, 4)], { axis: 1 }, { output: "dense" }), ["N", 4])),
  },
  {
    maker: "keras2onnx",
    form: "two classes in one sigmoid column",
    image: IMAGE,
    feed: { last: true, times: 255 },
    exits: { dense_sigmoid: "share" },
    bytes: () =>
      keras((d, x) => d.output(d.op("Sigmoid", [dense(d, x, 8, 1)], {}, { output: "dense_sigmoid" }), ["N", 1])),
  },
  {
    maker: "keras2onnx",
    form: "several labels, a sigmoid each",
    code: "model/classifier",
    says: 'output "labels" is multi-label',
    bytes: () => keras((d, x) => d.output(d.op("Sigmoid", [dense(d, x, 8, 4)], {}, { output: "labels" }), ["N", 4])),
    exported: () => keras((d, x) => d.output(dense(d, x, 8, 4), ["N", 4])),
  },
];
