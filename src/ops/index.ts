/** @file Every operator that dynn knows, by its ONNX name. One file per operator; this is the only list. */
import type { OpDef } from "../graph/op.js";
import { Abs } from "./abs.js";
import { Add } from "./add.js";
import { And } from "./and.js";
import { ArgMax } from "./arg-max.js";
import { ArgMin } from "./arg-min.js";
import { AveragePool } from "./average-pool.js";
import { BatchNormalization } from "./batch-normalization.js";
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
import { CumSum } from "./cum-sum.js";
import { DepthToSpace } from "./depth-to-space.js";
import { Div } from "./div.js";
import { Dropout } from "./dropout.js";
import { Elu } from "./elu.js";
import { Equal } from "./equal.js";
import { Erf } from "./erf.js";
import { Exp } from "./exp.js";
import { Expand } from "./expand.js";
import { Flatten } from "./flatten.js";
import { Floor } from "./floor.js";
import { Gather } from "./gather.js";
import { GatherElements } from "./gather-elements.js";
import { Gelu } from "./gelu.js";
import { Gemm } from "./gemm.js";
import { GlobalAveragePool } from "./global-average-pool.js";
import { GlobalMaxPool } from "./global-max-pool.js";
import { Greater } from "./greater.js";
import { GreaterOrEqual } from "./greater-or-equal.js";
import { GroupNormalization } from "./group-normalization.js";
import { HardSigmoid } from "./hard-sigmoid.js";
import { HardSwish } from "./hard-swish.js";
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
import { MatMul } from "./mat-mul.js";
import { Max } from "./max.js";
import { MaxPool } from "./max-pool.js";
import { MaxUnpool } from "./max-unpool.js";
import { Mean } from "./mean.js";
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
import { Round } from "./round.js";
import { ScatterElements } from "./scatter-elements.js";
import { Selu } from "./selu.js";
import { Shape } from "./shape.js";
import { Sigmoid } from "./sigmoid.js";
import { Sign } from "./sign.js";
import { Sin } from "./sin.js";
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
import { Tanh } from "./tanh.js";
import { ThresholdedRelu } from "./thresholded-relu.js";
import { Tile } from "./tile.js";
import { Transpose } from "./transpose.js";
import { Trilu } from "./trilu.js";
import { Unsqueeze } from "./unsqueeze.js";
import { Where } from "./where.js";
import { Xor } from "./xor.js";

export const OPS = {
  Abs,
  Add,
  And,
  ArgMax,
  ArgMin,
  AveragePool,
  BatchNormalization,
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
  CumSum,
  DepthToSpace,
  Div,
  Dropout,
  Elu,
  Equal,
  Erf,
  Exp,
  Expand,
  Flatten,
  Floor,
  Gather,
  GatherElements,
  Gelu,
  Gemm,
  GlobalAveragePool,
  GlobalMaxPool,
  Greater,
  GreaterOrEqual,
  GroupNormalization,
  HardSigmoid,
  HardSwish,
  Identity,
  InstanceNormalization,
  IsInf,
  IsNaN,
  LayerNormalization,
  LeakyRelu,
  Less,
  LessOrEqual,
  Log,
  LogSoftmax,
  MatMul,
  Max,
  MaxPool,
  MaxUnpool,
  Mean,
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
  Round,
  ScatterElements,
  Selu,
  Shape,
  Sigmoid,
  Sign,
  Sin,
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
  Tanh,
  ThresholdedRelu,
  Tile,
  Transpose,
  Trilu,
  Unsqueeze,
  Where,
  Xor,
} satisfies Readonly<Record<string, OpDef>>;

export type OpType = keyof typeof OPS;
