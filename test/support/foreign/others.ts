/** @file Models in the forms of CNTK, MXNet, Caffe2, PaddlePaddle, MATLAB and scikit-learn, and files that hold no image classifier. */
import { codeOf, Drawing, float } from "./drawing.js";
import type { ForeignModel } from "./model.js";

/** A digit recogniser of CNTK: weights as inputs, the matrix reshaped inside, numbered names. */
function cntk(opset: number, front: (d: Drawing, x: string) => string): Uint8Array {
  const d = new Drawing({
    opset,
    ir: 3,
    producer: "CNTK",
    listed: true,
    naming: (type, k) => `${type}${28 + 2 * k}_Output_0`,
  });
  const x = front(d, d.input("Input3", [1, 1, 28, 28]));
  const conv = d.op("Conv", [x, d.weight("Parameter5", [4, 1, 5, 5])], {
    kernel_shape: [5, 5],
    strides: [1, 1],
    auto_pad: "SAME_UPPER",
    group: 1,
    dilations: [1, 1],
  });
  const relu = d.op("Relu", [d.op("Add", [conv, d.weight("Parameter6", [4, 1, 1])])]);
  const pool = d.op("MaxPool", [relu], {
    kernel_shape: [4, 4],
    strides: [4, 4],
    pads: [0, 0, 0, 0],
    auto_pad: "NOTSET",
  });
  const matrix = d.op("Reshape", [
    d.weight("Parameter193", [4, 7, 7, 10]),
    d.ints("Parameter193_reshape1_shape", 196, 10),
  ]);
  const flat = d.op("Reshape", [pool, d.ints("Pooling160_Output_0_reshape0_shape", 1, 196)]);
  const product = d.op("MatMul", [flat, matrix]);
  d.output(d.op("Add", [product, d.weight("Parameter194", [1, 10])], {}, { output: "Plus214_Output_0" }), [1, 10]);
  return d.bytes();
}

const scaled = (d: Drawing, x: string): string =>
  d.op("Mul", [d.op("Sub", [x, d.constant("Constant339", [], [128])]), d.constant("Constant343", [], [1 / 255])]);

const norm = (d: Drawing, x: string, name: string, more: { readonly spatial?: number } = {}): string =>
  d.op(
    "BatchNormalization",
    [
      x,
      d.positive(`${name}_gamma`, 6),
      d.weight(`${name}_beta`, [6]),
      d.weight(`${name}_mean`, [6]),
      d.positive(`${name}_var`, 6),
    ],
    { epsilon: float(1e-5), momentum: float(0.9), ...more },
    { output: `${name}_fwd` },
  );

/** A Gluon network: weights as inputs, layers for names, a BatchNormalization of the pixels first. */
function mxnet(): Uint8Array {
  const d = new Drawing({
    opset: 8,
    ir: 3,
    producer: "mxnet",
    listed: true,
    naming: (type, k) => `resnetv24_${type.toLowerCase()}${k}_fwd`,
  });
  const x = d.op(
    "BatchNormalization",
    [
      d.input("data", [1, 3, 8, 8]),
      d.positive("bn_data_gamma", 3),
      d.weight("bn_data_beta", [3]),
      d.constant("bn_data_mean", [3], [0.4, 0.5, 0.6]),
      d.positive("bn_data_var", 3),
    ],
    { spatial: 1, epsilon: float(1e-5) },
  );
  const conv = d.op("Conv", [x, d.weight("conv0_weight", [6, 3, 3, 3])], {
    pads: [1, 1, 1, 1],
    strides: [2, 2],
    kernel_shape: [3, 3],
  });
  const pooled = d.op("GlobalAveragePool", [d.op("Relu", [norm(d, conv, "batchnorm0", { spatial: 1 })])]);
  const flat = d.op("Flatten", [pooled]);
  d.output(
    d.op(
      "Gemm",
      [flat, d.weight("dense0_weight", [4, 6]), d.weight("dense0_bias", [4])],
      { transB: 1 },
      { output: "resnetv24_dense0_fwd" },
    ),
    [1, 4],
  );
  return d.bytes();
}

/** AlexNet's layers after Caffe2: local response normalisation, Dropout with a mask, a Reshape to a batch of 1. */
function caffe2(): Uint8Array {
  const d = new Drawing({
    opset: 9,
    ir: 3,
    producer: "onnx-caffe2",
    listed: true,
    naming: (type, k) => `${type.toLowerCase()}_${k}`,
  });
  const conv = d.op(
    "Conv",
    [d.input("data_0", [1, 3, 8, 8]), d.weight("conv1_w_0", [6, 3, 3, 3]), d.weight("conv1_b_0", [6])],
    { kernel_shape: [3, 3], strides: [1, 1] },
  );
  const local = d.op("LRN", [d.op("Relu", [conv])], { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: 5 });
  const pool = d.op("MaxPool", [local], { kernel_shape: [3, 3], strides: [1, 1] });
  const flat = d.op("Reshape", [pool, d.ints("OC2_DUMMY_1", 1, 96)]);
  const hidden = d.op("Relu", [
    d.op("Gemm", [flat, d.weight("fc6_w_0", [8, 96]), d.weight("fc6_b_0", [8])], { transB: 1 }),
  ]);
  const [dropped] = d.ops("Dropout", [hidden], 2, { ratio: float(0.5) });
  const logits = d.op("Gemm", [dropped ?? "", d.weight("fc8_w_0", [4, 8]), d.weight("fc8_b_0", [4])], { transB: 1 });
  d.output(d.op("Softmax", [logits], { axis: 1 }, { output: "prob_1" }), [1, 4]);
  return d.bytes();
}

/** Paddle2ONNX: dotted names, a bias of scale nodes, Softmax and Identity. */
function paddle(): Uint8Array {
  const d = new Drawing({ opset: 11, producer: "PaddlePaddle", naming: (type, k) => `p2o.${type}.${k}` });
  const conv = d.op(
    "Conv",
    [d.input("x", ["p2o.DynamicDimension.0", 3, 8, 8]), d.weight("conv2d_0.w_0", [6, 3, 3, 3])],
    { strides: [2, 2], pads: [1, 1, 1, 1] },
  );
  const pooled = d.op("GlobalAveragePool", [
    d.op("HardSigmoid", [norm(d, conv, "batch_norm_0")], { alpha: float(0.1666667), beta: float(0.5) }),
  ]);
  const flat = d.op("Reshape", [pooled, d.ints("p2o.shape", 0, 6)]);
  const logits = d.op("Add", [d.op("MatMul", [flat, d.weight("linear_0.w_0", [6, 4])]), d.weight("linear_0.b_0", [4])]);
  const shares = d.op("Softmax", [logits], { axis: -1 });
  d.output(d.op("Identity", [shares], {}, { output: "softmax_0.tmp_0" }), ["p2o.DynamicDimension.0", 4]);
  return d.bytes();
}

/** MATLAB's Deep Learning Toolbox: a mean image, layers named after layers, classes as 1x1 images. */
function matlab(): Uint8Array {
  const d = new Drawing({
    opset: 9,
    producer: "MATLAB Deep Learning Toolbox Converter for ONNX Model Format",
    naming: (type, k) => `${type.toLowerCase()}_${k}`,
  });
  const mean = d.constant("imageinput_Mean", [1, 3, 1, 1], [120, 115, 105]);
  const centred = d.op("Sub", [d.input("imageinput", ["BatchSize", 3, 8, 8]), mean]);
  const conv = d.op("Conv", [centred, d.weight("conv_W", [6, 3, 3, 3]), d.weight("conv_B", [6])], {
    strides: [2, 2],
    kernel_shape: [3, 3],
  });
  const small = d.op("Mul", [d.op("Relu", [conv]), d.constant("scale", [1], [0.01])]);
  const fc = d.op("Conv", [small, d.weight("fc_W", [4, 6, 3, 3]), d.weight("fc_B", [4])]);
  const flat = d.op("Flatten", [fc], { axis: 1 });
  d.output(d.op("Softmax", [flat], { axis: 1 }, { output: "softmax" }), ["BatchSize", 4]);
  return d.bytes();
}

const ML = "ai.onnx.ml";

/** MLPClassifier after skl2onnx: a flat row of pixels, labels as integers, probabilities in a ZipMap. */
function perceptron(zipped: boolean): Uint8Array {
  const d = new Drawing({
    opset: 15,
    producer: "skl2onnx",
    domains: [ML],
    naming: (type, k) => `${type.toLowerCase()}_result${k}`,
  });
  const x = d.op("Cast", [d.input("X", ["batch", 64])], { to: codeOf("float32") });
  const hidden = d.op("Relu", [
    d.op("Add", [d.op("MatMul", [x, d.weight("coefficient", [64, 8])]), d.weight("intercepts", [1, 8])]),
  ]);
  const logits = d.op("Add", [
    d.op("MatMul", [hidden, d.weight("coefficient1", [8, 4])]),
    d.weight("intercepts1", [1, 4]),
  ]);
  const shares = d.op("Softmax", [logits], { axis: 1 }, { output: "probabilities" });
  const best = d.op("ArgMax", [shares], { axis: 1, keepdims: 0 });
  d.output(d.op("Cast", [best], { to: codeOf("int64") }, { output: "output_label" }), ["batch"], "int64");
  const zip = { domain: ML, output: "output_probability" };
  if (zipped) d.outputMaps(d.op("ZipMap", [shares], { classlabels_int64s: [0, 1, 2, 3] }, zip));
  else d.output(shares, ["batch", 4]);
  return d.bytes();
}

/** LogisticRegression: one node of the domain ai.onnx.ml. */
function logistic(): Uint8Array {
  const d = new Drawing({ opset: 15, producer: "skl2onnx", domains: [ML] });
  const coefficients = Array.from({ length: 256 }, (_, i) => float(Math.sin(i)));
  const [label, shares] = d.ops(
    "LinearClassifier",
    [d.input("X", ["batch", 64])],
    2,
    { coefficients, intercepts: [0, 1, 2, 3].map(float), classlabels_ints: [0, 1, 2, 3], post_transform: "SOFTMAX" },
    { domain: ML },
  );
  d.output(label ?? "", ["batch"], "int64");
  d.output(shares ?? "", ["batch", 4]);
  return d.bytes();
}

const rows = (d: Drawing, x: string): string => d.op("MatMul", [d.op("Flatten", [x]), d.weight("w", [192, 4])]);

/** What is no image classifier at all. */
function other(draw: (d: Drawing) => void): Uint8Array {
  const d = new Drawing({ opset: 13 });
  draw(d);
  return d.bytes();
}

const single = { single: true } as const;
const to255 = { times: 255, single: true } as const;

export const OTHERS: readonly ForeignModel[] = [
  {
    maker: "CNTK",
    form: "opset 7, a batch of 1 in a Reshape, the matrix reshaped inside",
    image: [1, 28, 28],
    feed: single,
    exits: { Plus214_Output_0: "logits" },
    bytes: () => cntk(7, (_, x) => x),
  },
  {
    maker: "CNTK",
    form: "opset 9, minus 128 and times 1/255 inside",
    image: [1, 28, 28],
    feed: to255,
    exits: { Plus214_Output_0: "logits" },
    bytes: () => cntk(9, scaled),
  },
  {
    maker: "MXNet",
    form: "opset 8, weights as inputs, spatial BatchNormalization",
    image: [3, 8, 8],
    feed: single,
    exits: { resnetv24_dense0_fwd: "logits" },
    bytes: mxnet,
  },
  {
    maker: "Caffe2",
    form: "opset 9, LRN, Dropout with its mask, Reshape to a batch of 1",
    image: [3, 8, 8],
    feed: single,
    exits: { prob_1: "probabilities" },
    bytes: caffe2,
  },
  {
    maker: "Paddle2ONNX",
    form: "dotted names, Softmax and Identity",
    image: [3, 8, 8],
    exits: { "softmax_0.tmp_0": "probabilities" },
    bytes: paddle,
  },
  {
    maker: "MATLAB",
    form: "pixels in 0 to 255 minus a mean",
    image: [3, 8, 8],
    feed: { times: 255 },
    exits: { softmax: "probabilities" },
    bytes: matlab,
  },
  {
    maker: "scikit-learn",
    form: "MLPClassifier: flat rows, labels, a ZipMap at the end",
    image: [1, 8, 8],
    feed: { dims: [64] },
    exits: { probabilities: "probabilities" },
    bytes: () => perceptron(true),
    plain: () => perceptron(false),
  },
  {
    maker: "scikit-learn",
    form: "LogisticRegression: a node of ai.onnx.ml",
    code: "model/op",
    says: "LinearClassifier",
    bytes: logistic,
    exported: () => perceptron(true),
  },
  {
    maker: "any",
    form: "a segmentation network: one answer per pixel",
    code: "model/classifier",
    says: "masks float32[",
    bytes: () =>
      other((d) =>
        d.output(
          d.op("Conv", [d.input("image", ["n", 3, 8, 8]), d.weight("w", [4, 3, 1, 1])], {}, { output: "masks" }),
        ),
      ),
    exported: () => other((d) => d.output(rows(d, d.input("image", ["n", 3, 8, 8])), ["n", 4])),
  },
  {
    maker: "any",
    form: "two image inputs",
    code: "model/input",
    says: "inputs are left float32[n,3,8,8], right float32[n,3,8,8]",
    bytes: () =>
      other((d) => {
        const both = d.op("Sub", [d.input("left", ["n", 3, 8, 8]), d.input("right", ["n", 3, 8, 8])]);
        d.output(rows(d, both), ["n", 4]);
      }),
    exported: () => other((d) => d.output(rows(d, d.input("difference", ["n", 3, 8, 8])), ["n", 4])),
  },
  {
    maker: "any",
    form: "a text classifier: int64 tokens",
    code: "model/input",
    says: "int64",
    bytes: () =>
      other((d) => {
        const words = d.op("Gather", [d.weight("embedding", [50, 6]), d.input("input_ids", ["n", 16], "int64")], {
          axis: 0,
        });
        d.output(d.op("MatMul", [d.op("ReduceMean", [words], { axes: [1], keepdims: 0 }), d.weight("w", [6, 4])]), [
          "n",
          4,
        ]);
      }),
    exported: () => other((d) => d.output(rows(d, d.input("embedded", ["n", 24, 8])), ["n", 4])),
  },
];
