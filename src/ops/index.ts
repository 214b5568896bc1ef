/** @file Every operator that dynn knows, by its ONNX name. One file per operator; this is the only list. */
import type { OpDef } from "../graph/op.js";
import { Abs } from "./abs.js";
import { Acos } from "./acos.js";
import { Acosh } from "./acosh.js";
import { Add } from "./add.js";
import { And } from "./and.js";
import { ArgMax } from "./arg-max.js";
import { ArgMin } from "./arg-min.js";
import { Asin } from "./asin.js";
import { Asinh } from "./asinh.js";
import { Atan } from "./atan.js";
import { Atanh } from "./atanh.js";
import { AveragePool } from "./average-pool.js";
import { BatchNormalization } from "./batch-normalization.js";
import { BitShift } from "./bit-shift.js";
import { BitwiseAnd } from "./bitwise-and.js";
import { BitwiseNot } from "./bitwise-not.js";
import { BitwiseOr } from "./bitwise-or.js";
import { BitwiseXor } from "./bitwise-xor.js";
import { Cast } from "./cast.js";
import { CastLike } from "./cast-like.js";
import { Ceil } from "./ceil.js";
import { Celu } from "./celu.js";
import { Clip } from "./clip.js";
import { Concat } from "./concat.js";
import { ConstantOfShape } from "./constant-of-shape.js";
import { Conv } from "./conv.js";
import { ConvTranspose } from "./conv-transpose.js";
import { Cos } from "./cos.js";
import { Cosh } from "./cosh.js";
import { CumSum } from "./cum-sum.js";
import { DepthToSpace } from "./depth-to-space.js";
import { DequantizeLinear } from "./dequantize-linear.js";
import { Div } from "./div.js";
import { Dropout } from "./dropout.js";
import { Einsum } from "./einsum.js";
import { Elu } from "./elu.js";
import { Equal } from "./equal.js";
import { Erf } from "./erf.js";
import { Exp } from "./exp.js";
import { Expand } from "./expand.js";
import { EyeLike } from "./eye-like.js";
import { Flatten } from "./flatten.js";
import { Floor } from "./floor.js";
import { Gather } from "./gather.js";
import { GatherElements } from "./gather-elements.js";
import { GatherND } from "./gather-nd.js";
import { Gelu } from "./gelu.js";
import { Gemm } from "./gemm.js";
import { GlobalAveragePool } from "./global-average-pool.js";
import { GlobalLpPool } from "./global-lp-pool.js";
import { GlobalMaxPool } from "./global-max-pool.js";
import { Greater } from "./greater.js";
import { GreaterOrEqual } from "./greater-or-equal.js";
import { GridSample } from "./grid-sample.js";
import { GroupNormalization } from "./group-normalization.js";
import { HardSigmoid } from "./hard-sigmoid.js";
import { HardSwish } from "./hard-swish.js";
import { Hardmax } from "./hardmax.js";
import { Identity } from "./identity.js";
import { InstanceNormalization } from "./instance-normalization.js";
import { IsInf } from "./is-inf.js";
import { IsNaN } from "./is-nan.js";
import { LayerNormalization } from "./layer-normalization.js";
import { LeakyRelu } from "./leaky-relu.js";
import { Less } from "./less.js";
import { LessOrEqual } from "./less-or-equal.js";
import { Log } from "./log.js";
import { LogSoftmax } from "./log-softmax.js";
import { LpNormalization } from "./lp-normalization.js";
import { LpPool } from "./lp-pool.js";
import { LRN } from "./lrn.js";
import { MatMul } from "./mat-mul.js";
import { Max } from "./max.js";
import { MaxPool } from "./max-pool.js";
import { MaxUnpool } from "./max-unpool.js";
import { Mean } from "./mean.js";
import { MeanVarianceNormalization } from "./mean-variance-normalization.js";
import { Min } from "./min.js";
import { Mish } from "./mish.js";
import { Mod } from "./mod.js";
import { Mul } from "./mul.js";
import { Neg } from "./neg.js";
import { Not } from "./not.js";
import { OneHot } from "./one-hot.js";
import { Or } from "./or.js";
import { PRelu } from "./p-relu.js";
import { Pad } from "./pad.js";
import { Pow } from "./pow.js";
import { QuantizeLinear } from "./quantize-linear.js";
import { Range } from "./range.js";
import { Reciprocal } from "./reciprocal.js";
import { ReduceL1 } from "./reduce-l1.js";
import { ReduceL2 } from "./reduce-l2.js";
import { ReduceLogSum } from "./reduce-log-sum.js";
import { ReduceLogSumExp } from "./reduce-log-sum-exp.js";
import { ReduceMax } from "./reduce-max.js";
import { ReduceMean } from "./reduce-mean.js";
import { ReduceMin } from "./reduce-min.js";
import { ReduceProd } from "./reduce-prod.js";
import { ReduceSum } from "./reduce-sum.js";
import { ReduceSumSquare } from "./reduce-sum-square.js";
import { Relu } from "./relu.js";
import { Reshape } from "./reshape.js";
import { Resize } from "./resize.js";
import { ReverseSequence } from "./reverse-sequence.js";
import { Round } from "./round.js";
import { ScatterElements } from "./scatter-elements.js";
import { ScatterND } from "./scatter-nd.js";
import { Selu } from "./selu.js";
import { Shape } from "./shape.js";
import { Shrink } from "./shrink.js";
import { Sigmoid } from "./sigmoid.js";
import { Sign } from "./sign.js";
import { Sin } from "./sin.js";
import { Sinh } from "./sinh.js";
import { Size } from "./size.js";
import { Slice } from "./slice.js";
import { Softmax } from "./softmax.js";
import { Softplus } from "./softplus.js";
import { Softsign } from "./softsign.js";
import { SpaceToDepth } from "./space-to-depth.js";
import { Split } from "./split.js";
import { Sqrt } from "./sqrt.js";
import { Squeeze } from "./squeeze.js";
import { Sub } from "./sub.js";
import { Sum } from "./sum.js";
import { Tan } from "./tan.js";
import { Tanh } from "./tanh.js";
import { ThresholdedRelu } from "./thresholded-relu.js";
import { Tile } from "./tile.js";
import { TopK } from "./top-k.js";
import { Transpose } from "./transpose.js";
import { Trilu } from "./trilu.js";
import { Unsqueeze } from "./unsqueeze.js";
import { Where } from "./where.js";
import { Xor } from "./xor.js";

export const OPS = {
  Abs,
  Acos,
  Acosh,
  Add,
  And,
  ArgMax,
  ArgMin,
  Asin,
  Asinh,
  Atan,
  Atanh,
  AveragePool,
  BatchNormalization,
  BitShift,
  BitwiseAnd,
  BitwiseNot,
  BitwiseOr,
  BitwiseXor,
  Cast,
  CastLike,
  Ceil,
  Celu,
  Clip,
  Concat,
  ConstantOfShape,
  Conv,
  ConvTranspose,
  Cos,
  Cosh,
  CumSum,
  DepthToSpace,
  DequantizeLinear,
  Div,
  Dropout,
  Einsum,
  Elu,
  Equal,
  Erf,
  Exp,
  Expand,
  EyeLike,
  Flatten,
  Floor,
  Gather,
  GatherElements,
  GatherND,
  Gelu,
  Gemm,
  GlobalAveragePool,
  GlobalLpPool,
  GlobalMaxPool,
  Greater,
  GreaterOrEqual,
  GridSample,
  GroupNormalization,
  HardSigmoid,
  HardSwish,
  Hardmax,
  Identity,
  InstanceNormalization,
  IsInf,
  IsNaN,
  LRN,
  LayerNormalization,
  LeakyRelu,
  Less,
  LessOrEqual,
  Log,
  LogSoftmax,
  LpNormalization,
  LpPool,
  MatMul,
  Max,
  MaxPool,
  MaxUnpool,
  Mean,
  MeanVarianceNormalization,
  Min,
  Mish,
  Mod,
  Mul,
  Neg,
  Not,
  OneHot,
  Or,
  PRelu,
  Pad,
  Pow,
  QuantizeLinear,
  Range,
  Reciprocal,
  ReduceL1,
  ReduceL2,
  ReduceLogSum,
  ReduceLogSumExp,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceProd,
  ReduceSum,
  ReduceSumSquare,
  Relu,
  Reshape,
  Resize,
  ReverseSequence,
  Round,
  ScatterElements,
  ScatterND,
  Selu,
  Shape,
  Shrink,
  Sigmoid,
  Sign,
  Sin,
  Sinh,
  Size,
  Slice,
  Softmax,
  Softplus,
  Softsign,
  SpaceToDepth,
  Split,
  Sqrt,
  Squeeze,
  Sub,
  Sum,
  Tan,
  Tanh,
  ThresholdedRelu,
  Tile,
  TopK,
  Transpose,
  Trilu,
  Unsqueeze,
  Where,
  Xor,
} satisfies Readonly<Record<string, OpDef>>;

export type OpType = keyof typeof OPS;
