/** @file Small valid models from which the fuzzer starts; together they reach most operators, and every part of the file format. */
import { create, toBinary } from "@bufbuild/protobuf";
import { fromNumbers, int64s } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string, tensorAttribute } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ModelProtoSchema, TensorProto_DataLocation } from "../../src/onnx/generated/onnx_pb.js";
import { writeModel } from "../../src/onnx/write.js";
import { Kind, modelBytes, relu, Type, value } from "../onnx/protos.js";

const CLASSES = 4;
const [C, SIZE] = [4, 8];

/** Weights that differ from each other and from zero. */
const weights = (b: GraphBuilder, ...dims: number[]): string => {
  const size = dims.reduce((a, d) => a * d, 1);
  return b.constant(
    fromNumbers(
      "float32",
      dims,
      Array.from({ length: size }, (_, i) => Math.sin(i + 1) / 2),
    ),
  );
};

/** A classifier of images [n,4,8,8] that does `body` before its head; `body` may change height and width. */
function classifier(opset: number, body: (b: GraphBuilder, x: string) => string): Uint8Array {
  const b = new GraphBuilder(emptyGraph("seed", opset));
  const x = b.input("images", "float32", ["n", C, SIZE, SIZE]);
  const pooled = b.op("GlobalAveragePool", [body(b, x)]);
  const logits = b.op("Gemm", [b.op("Flatten", [pooled]), weights(b, C, CLASSES), weights(b, CLASSES)], {}, "logits");
  b.output(logits, "float32", ["n", CLASSES]);
  const metadata = new Map([
    ["dynn.exits", JSON.stringify([{ name: "final", logits }])],
    ["dynn.policy", JSON.stringify({ rule: "max-softmax", thresholds: [], fallback: "final" })],
    ["dynn.normalization", JSON.stringify({ mean: [0.5, 0.5, 0.5, 0.5], std: [1, 1, 1, 1] })],
  ]);
  return writeModel({ graph: b.build(), metadata });
}

type Body = (b: GraphBuilder, x: string) => string;
/** One operator after the other, each on the result of the one before. */
const chain =
  (...steps: readonly (readonly [op: string, attributes?: Attributes])[]): Body =>
  (b, x) =>
    steps.reduce((value, [op, attributes]) => b.op(op, [value], attributes ?? {}), x);

const convolutional: Body = (b, x) => {
  const conv = b.op("Conv", [x, weights(b, C, C, 3, 3), weights(b, C)], { pads: ints([1, 1, 1, 1]) });
  const norm = b.op("BatchNormalization", [conv, weights(b, C), weights(b, C), weights(b, C), positive(b, C)]);
  const grouped = b.op("Conv", [b.op("Relu", [norm]), weights(b, C, 1, 3, 3)], {
    group: int(C),
    strides: ints([2, 2]),
    dilations: ints([2, 2]),
    pads: ints([2, 2, 2, 2]),
  });
  const pool = b.op("MaxPool", [grouped], { kernel_shape: ints([2, 2]), strides: ints([1, 1]), ceil_mode: int(1) });
  const mean = b.op("AveragePool", [pool], { kernel_shape: ints([2, 2]), pads: ints([1, 1, 1, 1]) });
  return b.op("Add", [mean, b.op("Mul", [mean, b.scalar(0.5)])]);
};

const positive = (b: GraphBuilder, length: number): string =>
  b.constant(fromNumbers("float32", [length], new Float64Array(length).fill(1)));

const arithmetic: Body = (b, x) => {
  const shape = b.op("Shape", [x]);
  const take = (i: number) => b.op("Gather", [shape, b.scalar(i, "int64")], { axis: int(0) });
  const [n, c] = [take(0), take(1)].map((d) => b.op("Unsqueeze", [d, b.ints([0])]));
  const pixels = b.op("ReduceProd", [b.op("Slice", [shape, b.ints([2]), b.ints([4]), b.ints([0])])], {
    keepdims: int(1),
  });
  const target = b.op("Concat", [n, c, pixels], { axis: int(0) });
  const flat = b.op("Reshape", [x, target]);
  const half = b.op("Div", [pixels, b.ints([2])]);
  const kept = b.op("Slice", [flat, b.ints([0]), half, b.ints([2])]);
  const back = b.op("Reshape", [kept, b.ints([0, 0, 4, -1])]);
  const mask = b.op("ConstantOfShape", [b.op("Shape", [back])], {
    value: tensorAttribute(fromNumbers("float32", [1], [2])),
  });
  const wide = b.op("Expand", [b.scalar(3), b.op("Shape", [back])]);
  const chosen = b.op("Where", [b.op("Equal", [mask, wide]), back, b.op("Mul", [back, mask])]);
  return b.op("Tile", [chosen, b.ints([1, 1, 2, 1])]);
};

/** Everything that folds: constants computed from constants, which could be far larger than the file. */
const constants: Body = (b, x) => {
  const ramp = b.op(
    "Cast",
    [
      b.op(
        "Range",
        [0, 16, 1].map((v) => b.scalar(v, "int64")),
      ),
    ],
    { to: int(1) },
  );
  const square = b.op("Reshape", [ramp, b.ints([4, 4])]);
  const ones = b.op("ConstantOfShape", [b.ints([4, 4])], {
    value: tensorAttribute(fromNumbers("float32", [1], [1])),
  });
  const product = b.op("MatMul", [square, b.op("Transpose", [ones])]);
  const tiled = b.op("Tile", [b.op("Unsqueeze", [product, b.ints([0, 1])]), b.ints([1, 4, 2, 2])]);
  const filtered = b.op("Conv", [tiled, weights(b, C, C, 3, 3)], { pads: ints([1, 1, 1, 1]) });
  const pooled = b.op("AveragePool", [filtered], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) });
  const padded = b.op("Pad", [pooled, b.ints([0, 0, 1, 1, 0, 0, 1, 1]), b.scalar(0)]);
  const hot = b.op("OneHot", [
    b.ints([0, 1, 2, 3]),
    b.scalar(8, "int64"),
    b.constant(fromNumbers("float32", [2], [0, 1])),
  ]);
  const resized = b.op("Resize", [padded, "", b.constant(fromNumbers("float32", [4], [1, 1, 2, 2]))], {
    mode: string("linear"),
  });
  const small = b.op("ReduceMean", [resized], { axes: ints([2, 3]) });
  const weighted = b.op("MatMul", [b.op("ReduceSum", [hot, b.ints([1])], { keepdims: int(0) }), b.scalar(1)]);
  return b.op("Add", [b.op("Mul", [x, small]), b.op("Expand", [weighted, b.ints([1, 4, 8, 1])])]);
};

const shapes: Body = (b, x) => {
  const up = b.op("ConvTranspose", [x, weights(b, C, C, 2, 2)], {
    strides: ints([2, 2]),
    output_padding: ints([1, 1]),
  });
  const cut = b.op("Slice", [up, b.ints([0, -1]), b.ints([16, -17]), b.ints([2, 3]), b.ints([1, -1])]);
  const blocks = b.op("DepthToSpace", [b.op("SpaceToDepth", [cut], { blocksize: int(2) })], { blocksize: int(2) });
  const padded = b.op("Pad", [blocks, b.ints([0, 0, 2, 2, 0, 0, -1, 2])], { mode: string("reflect") });
  const sized = b.op("Resize", [padded, "", "", b.constant(int64s([1, C, 6, 6]))], { mode: string("cubic") });
  const [left, right] = b.ops("Split", [padded, b.ints([1, 3])], 2, { axis: int(1) });
  const joined = b.op("Concat", [right, left], { axis: int(1) });
  const near = b.op("Resize", [joined, "", b.constant(fromNumbers("float32", [4], [1, 1, 0.5, 2]))]);
  return b.op("Max", [near, b.op("ReduceMax", [sized], { keepdims: int(0) })]);
};

const attention: Body = (b, x) => {
  const tokens = b.op("Transpose", [b.op("Reshape", [x, b.ints([0, C, -1])])], { perm: ints([0, 2, 1]) });
  const norm = b.op("LayerNormalization", [tokens, weights(b, C), weights(b, C)], {
    axis: int(-1),
    epsilon: float(1e-5),
  });
  const qkv = b.op("MatMul", [norm, weights(b, C, 3 * C)]);
  const [q, k, v] = b.ops("Split", [qkv], 3, { axis: int(2) }) as [string, string, string];
  const scores = b.op("Softmax", [b.op("MatMul", [q, b.op("Transpose", [k], { perm: ints([0, 2, 1]) })])], {
    axis: int(-1),
  });
  const mixed = b.op("MatMul", [scores, v]);
  const gelu = b.op("Mul", [mixed, b.op("Add", [b.op("Erf", [b.op("Div", [mixed, b.scalar(1.41)])]), b.scalar(1)])]);
  return b.op("Reshape", [b.op("Transpose", [gelu], { perm: ints([0, 2, 1]) }), b.ints([0, C, SIZE, SIZE])]);
};

const indices: Body = (b, x) => {
  const at = b.constant(fromNumbers("int64", [1, C, SIZE, 2], new Float64Array(C * SIZE * 2).fill(1)));
  const wide = b.op("Expand", [at, b.op("Concat", [b.ints([1]), b.ints([C, SIZE, 2])], { axis: int(0) })]);
  const rows = b.op("Gather", [x, b.ints([0, 2, -1, 3])], { axis: int(2) });
  const picked = b.op("GatherElements", [b.op("ReduceSum", [x, b.ints([0])], { keepdims: int(1) }), wide], {
    axis: int(3),
  });
  const sums = b.op("CumSum", [rows, b.scalar(3, "int64")]);
  const lower = b.op("Trilu", [sums], { upper: int(0) });
  const [best] = b.ops("TopK", [lower, b.ints([2])], 2, { axis: int(3) });
  return b.op("Concat", [best, b.op("Mul", [best, b.op("ReduceMean", [picked], { keepdims: int(0) })])], {
    axis: int(2),
  });
};

const activations = chain(
  ["LeakyRelu", { alpha: float(0.1) }],
  ["HardSigmoid", { alpha: float(0.2) }],
  ["Elu"],
  ["Selu"],
  ["Softplus"],
  ["Tanh"],
  ["Sigmoid"],
  ["Abs"],
  ["Exp"],
  ["Neg"],
  ["Identity"],
  ["Dropout"],
  ["Reciprocal"],
  ["Clip"],
  ["LogSoftmax", { axis: int(1) }],
);

/** An If with two branches that read names from around them. */
const subgraph = (): Uint8Array => {
  const branch = (name: string) => ({
    name,
    node: [{ opType: "Relu", input: ["x"], output: [`${name}_y`] }],
    output: [value(`${name}_y`, ["n", 2n])],
  });
  return modelBytes({
    initializer: [{ name: "flag", dataType: Type.BOOL, dims: [], rawData: Uint8Array.of(1) }],
    node: [
      {
        opType: "If",
        input: ["flag"],
        output: ["y"],
        attribute: [
          { name: "then_branch", type: Kind.GRAPH, g: branch("then") },
          { name: "else_branch", type: Kind.GRAPH, g: branch("else") },
        ],
      },
    ],
  });
};

/** Typed fields, external data, Constant nodes, value_info: what dynn's own writer does not write. */
const foreign = (): Uint8Array =>
  modelBytes({
    initializer: [
      { name: "f", dataType: Type.FLOAT, dims: [2n], floatData: [1, 2] },
      { name: "i", dataType: Type.INT64, dims: [2n], int64Data: [1n, 2n] },
      { name: "h", dataType: Type.FLOAT16, dims: [2n], int32Data: [15360, 0] },
      {
        name: "e",
        dataType: Type.FLOAT,
        dims: [2n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [
          { key: "location", value: "w.bin" },
          { key: "offset", value: "8" },
          { key: "length", value: "8" },
        ],
      },
    ],
    valueInfo: [value("r", ["n", 2n]), value("s", undefined)],
    node: [
      { ...relu, output: ["r"] },
      { opType: "Constant", output: ["c"], attribute: [{ name: "value_floats", type: Kind.FLOATS, floats: [1, 2] }] },
      { opType: "Add", input: ["r", "c"], output: ["s"] },
      { opType: "Mul", input: ["s", "e"], output: ["t"] },
      { opType: "Add", input: ["t", "f"], output: ["y"] },
    ],
  });

/** The seeds, made once. */
export const SEEDS: readonly Uint8Array[] = [
  ...[11, 13, 17, 21].map((opset) => classifier(opset, convolutional)),
  ...[13, 17].flatMap((opset) =>
    [arithmetic, constants, shapes, attention, indices].map((body) => classifier(opset, body)),
  ),
  classifier(17, activations),
  subgraph(),
  foreign(),
  toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n })),
];
