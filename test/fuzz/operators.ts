/** @file Models of one operator with inputs and attributes drawn at random: most are refused, and what is accepted meets ONNX Runtime, which
 *  computes constants while it loads. */
import { GRAPH_LIMITS } from "../../src/graph/limits.js";
import { OPS } from "../../src/ops/index.js";
import { type AttributeInit, Kind, modelBytes, type TensorInit, Type, value } from "../onnx/protos.js";
import type { Dice } from "./dice.js";

/** The attributes that operators take: ONNX Runtime refuses a node with any other. */
const OWN: Readonly<Record<string, string>> = {
  ...ofAll("ArgMax ArgMin", "axis keepdims select_last_index"),
  ...ofAll("AveragePool", "kernel_shape strides pads dilations ceil_mode count_include_pad auto_pad"),
  ...ofAll("BatchNormalization", "epsilon momentum training_mode"),
  ...ofAll("BitShift", "direction"),
  ...ofAll("Cast", "to"),
  ...ofAll("Concat Flatten Gather GatherElements LogSoftmax Softmax OneHot", "axis"),
  ...ofAll("Conv", "kernel_shape strides pads dilations group auto_pad"),
  ...ofAll("ConvTranspose", "kernel_shape strides pads dilations group auto_pad output_padding output_shape"),
  ...ofAll("CumSum", "exclusive reverse"),
  ...ofAll("DepthToSpace", "blocksize mode"),
  ...ofAll("SpaceToDepth", "blocksize"),
  ...ofAll("DequantizeLinear QuantizeLinear", "axis"),
  ...ofAll("Einsum", "equation"),
  ...ofAll("Elu Celu LeakyRelu ThresholdedRelu", "alpha"),
  ...ofAll("EyeLike", "dtype k"),
  ...ofAll("GatherND", "batch_dims"),
  ...ofAll("Gelu", "approximate"),
  ...ofAll("Gemm", "alpha beta transA transB"),
  ...ofAll("GlobalLpPool", "p"),
  ...ofAll("GroupNormalization", "num_groups epsilon"),
  ...ofAll("InstanceNormalization", "epsilon"),
  ...ofAll("LayerNormalization", "axis epsilon"),
  ...ofAll("LpNormalization", "axis p"),
  ...ofAll("LpPool", "kernel_shape strides pads p auto_pad ceil_mode dilations"),
  ...ofAll("LRN", "alpha beta bias size"),
  ...ofAll("MaxPool", "kernel_shape strides pads dilations ceil_mode storage_order auto_pad"),
  ...ofAll("MaxUnpool", "kernel_shape strides pads"),
  ...ofAll("Mod", "fmod"),
  ...ofAll("Pad", "mode"),
  ...ofAll("Resize", "mode coordinate_transformation_mode cubic_coeff_a exclude_outside antialias axes"),
  ...ofAll("ScatterElements", "axis reduction"),
  ...ofAll("ScatterND", "reduction"),
  ...ofAll("Shape", "start end"),
  ...ofAll("Split", "axis num_outputs split"),
  ...ofAll("TopK", "axis largest sorted"),
  ...ofAll("Transpose", "perm"),
  ...ofAll("Trilu", "upper"),
  ...ofAll(
    "ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceL1 ReduceL2",
    "axes keepdims noop_with_empty_axes",
  ),
  ...ofAll("Reshape", "allowzero"),
  ...ofAll("Squeeze Unsqueeze", "axes"),
};

/** How many inputs operators take, where it is not one. */
const INPUTS: Readonly<Record<string, string>> = {
  ...ofAll(
    "Add And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CumSum Div Equal Expand Gather GatherElements",
    "2",
  ),
  ...ofAll("GatherND Greater GreaterOrEqual GridSample Less LessOrEqual MatMul MaxUnpool Mod Mul Or PRelu Pow", "2"),
  ...ofAll("Reshape ReverseSequence Sub Tile TopK Xor Unsqueeze", "2"),
  ...ofAll("GroupNormalization InstanceNormalization OneHot QuantizeLinear Range ScatterElements ScatterND Where", "3"),
  ...ofAll("BatchNormalization", "5"),
  ...ofAll("Conv ConvTranspose DequantizeLinear Gemm LayerNormalization", "2 3"),
  ...ofAll("Clip Dropout Einsum Concat Max Min Sum Mean", "1 2 3"),
  ...ofAll("Pad", "1 2 3 4"),
  ...ofAll("Resize", "3 4"),
  ...ofAll("Slice", "3 4 5"),
  ...ofAll("Split Squeeze Trilu ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2", "1 2"),
};

function ofAll(operators: string, attributes: string): Record<string, string> {
  return Object.fromEntries(operators.split(" ").map((operator) => [operator, attributes]));
}

/** Attributes by kind, with how many numbers a list has. */
const INTS: Readonly<Record<string, readonly number[]>> = {
  axes: [1, 2],
  kernel_shape: [1, 2],
  strides: [1, 2],
  dilations: [1, 2],
  pads: [2, 4],
  output_padding: [1, 2],
  output_shape: [2],
  perm: [2, 4],
  split: [2],
};
const INT = [
  ...[
    "axis",
    "group",
    "keepdims",
    "ceil_mode",
    "count_include_pad",
    "to",
    "blocksize",
    "num_groups",
    "num_outputs",
    "start",
    "end",
  ],
  ...[
    "upper",
    "largest",
    "sorted",
    "batch_dims",
    "p",
    "size",
    "transA",
    "transB",
    "exclusive",
    "reverse",
    "select_last_index",
  ],
  ...[
    "allowzero",
    "noop_with_empty_axes",
    "training_mode",
    "antialias",
    "exclude_outside",
    "fmod",
    "storage_order",
    "k",
    "dtype",
  ],
];
const STRING: Readonly<Record<string, readonly string[]>> = {
  mode: ["linear", "nearest", "cubic", "reflect", "edge", "wrap", "constant", "DCR", "CRD"],
  auto_pad: ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"],
  reduction: ["none", "add", "mul", "max"],
  coordinate_transformation_mode: ["asymmetric", "align_corners", "half_pixel", "pytorch_half_pixel"],
  equation: ["ij,jk->ik", "ij->ji", "i,i->", "...i,...i->...", "ii->i"],
  approximate: ["tanh", "none"],
  direction: ["LEFT", "RIGHT"],
};
const FLOAT = ["alpha", "beta", "epsilon", "momentum", "gamma", "lambd", "bias", "spatial_scale", "cubic_coeff_a"];

const small = (dice: Dice): bigint => (dice.chance(0.85) ? BigInt(dice.below(6) - 1) : dice.int());

/** Attributes of an operator's own, or now and then any. */
function attributes(opType: string, dice: Dice): AttributeInit[] {
  const own = Object.hasOwn(OWN, opType) ? OWN[opType].split(" ") : [];
  const any = [...INT, ...FLOAT, ...Object.keys(INTS), ...Object.keys(STRING)];
  const names = dice.chance(0.9) ? own.filter(() => dice.chance(0.5)) : [dice.pick(any)];
  return names.map((name) => attribute(name, dice));
}

function attribute(name: string, dice: Dice): AttributeInit {
  if (INT.includes(name)) return { name, type: Kind.INT, i: small(dice) };
  if (FLOAT.includes(name)) return { name, type: Kind.FLOAT, f: dice.float() };
  const texts = STRING[name];
  if (texts) return { name, type: Kind.STRING, s: new TextEncoder().encode(dice.pick(texts)) };
  return { name, type: Kind.INTS, ints: Array.from({ length: dice.pick(INTS[name] ?? [1]) }, () => small(dice)) };
}

const dims = (dice: Dice): number[] =>
  dice.chance(0.1)
    ? [0]
    : Array.from({ length: dice.pick([0, 1, 1, 2, 3, 4, 4]) }, () => dice.pick([1, 1, 2, 4, 4, 0]));

/** A constant of random type; mostly int64 or float32. */
function constant(name: string, dice: Dice): TensorInit {
  const shape = dims(dice);
  const length = shape.reduce((a, d) => a * d, 1);
  const dataType = dice.pick([
    Type.FLOAT,
    Type.FLOAT,
    Type.INT64,
    Type.INT64,
    Type.INT32,
    Type.BOOL,
    Type.DOUBLE,
    Type.UINT8,
  ]);
  const numbers = Array.from({ length }, () => small(dice));
  const base = { name, dataType, dims: shape.map(BigInt) };
  if (dataType === Type.FLOAT)
    return { ...base, floatData: numbers.map((n) => (dice.chance(0.1) ? dice.float() : Number(n))) };
  if (dataType === Type.DOUBLE) return { ...base, doubleData: numbers.map(Number) };
  if (dataType === Type.INT64) return { ...base, int64Data: numbers };
  const limit = { [Type.BOOL]: 1, [Type.UINT8]: 255 }[dataType as number] ?? GRAPH_LIMITS.dim;
  const least = dataType === Type.INT32 ? -(2 ** 31) : 0;
  return { ...base, int32Data: numbers.map((n) => Math.max(least, Math.min(limit, Number(n)))) };
}

/** Mostly as many inputs as the operator takes. */
const inputCount = (opType: string, dice: Dice): number =>
  dice.chance(0.1) ? dice.pick([1, 2, 3, 4, 5]) : Number(dice.pick((INPUTS[opType] ?? "1").split(" ")));

/** A model of one operator; its inputs are constants, or now and then the image. */
export function operatorModel(dice: Dice): Uint8Array {
  const opType = dice.pick(Object.keys(OPS));
  const inputs = Array.from({ length: inputCount(opType, dice) }, (_, i) => (dice.chance(0.1) ? "" : `c${i}`));
  const image = dice.chance(0.4);
  const read = image ? ["x", ...inputs.slice(1)] : inputs;
  const outputs = Array.from({ length: dice.pick([1, 1, 1, 1, 1, 2, 3]) }, (_, i) => `y${i}`);
  return modelBytes(
    {
      input: [value("x", ["n", ...dice.pick([[4n], [4n, 4n, 4n], [2n, 4n]])])],
      initializer: read.filter((name) => name.startsWith("c")).map((name) => constant(name, dice)),
      node: [
        {
          opType,
          input: read,
          output: outputs,
          attribute: attributes(opType, dice),
        },
        { opType: "Flatten", input: ["x"], output: ["z"] },
      ],
      output: [...outputs, "z"].map((name) => value(name, undefined)),
    },
    { opsetImport: [{ domain: "", version: dice.pick([11n, 13n, 17n, 18n, 21n]) }] },
  );
}
