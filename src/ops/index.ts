/** @file The list of all operators that dynn supports, by ONNX name. Each operator has its own
 *  file. No other file lists them. */
import type { OpDef } from "../graph/op.js";
import { Celu } from "./activation/celu.js";
import { Clip } from "./activation/clip.js";
import { Dropout } from "./activation/dropout.js";
import { Elu } from "./activation/elu.js";
import { Gelu } from "./activation/gelu.js";
import { HardSigmoid } from "./activation/hard-sigmoid.js";
import { HardSwish } from "./activation/hard-swish.js";
import { Hardmax } from "./activation/hardmax.js";
import { LeakyRelu } from "./activation/leaky-relu.js";
import { LogSoftmax } from "./activation/log-softmax.js";
import { Mish } from "./activation/mish.js";
import { PRelu } from "./activation/p-relu.js";
import { Relu } from "./activation/relu.js";
import { Selu } from "./activation/selu.js";
import { Shrink } from "./activation/shrink.js";
import { Sigmoid } from "./activation/sigmoid.js";
import { Softmax } from "./activation/softmax.js";
import { Softplus } from "./activation/softplus.js";
import { Softsign } from "./activation/softsign.js";
import { Tanh } from "./activation/tanh.js";
import { ThresholdedRelu } from "./activation/thresholded-relu.js";
import { Abs } from "./arithmetic/abs.js";
import { Add } from "./arithmetic/add.js";
import { Ceil } from "./arithmetic/ceil.js";
import { CumSum } from "./arithmetic/cum-sum.js";
import { Div } from "./arithmetic/div.js";
import { Erf } from "./arithmetic/erf.js";
import { Exp } from "./arithmetic/exp.js";
import { Floor } from "./arithmetic/floor.js";
import { Log } from "./arithmetic/log.js";
import { Max } from "./arithmetic/max.js";
import { Mean } from "./arithmetic/mean.js";
import { Min } from "./arithmetic/min.js";
import { Mod } from "./arithmetic/mod.js";
import { Mul } from "./arithmetic/mul.js";
import { Neg } from "./arithmetic/neg.js";
import { Pow } from "./arithmetic/pow.js";
import { Reciprocal } from "./arithmetic/reciprocal.js";
import { Round } from "./arithmetic/round.js";
import { Sign } from "./arithmetic/sign.js";
import { Sqrt } from "./arithmetic/sqrt.js";
import { Sub } from "./arithmetic/sub.js";
import { Sum } from "./arithmetic/sum.js";
import { ConstantOfShape } from "./constant/constant-of-shape.js";
import { EyeLike } from "./constant/eye-like.js";
import { OneHot } from "./constant/one-hot.js";
import { Range } from "./constant/range.js";
import { Cast } from "./conversion/cast.js";
import { CastLike } from "./conversion/cast-like.js";
import { DequantizeLinear } from "./conversion/dequantize-linear.js";
import { QuantizeLinear } from "./conversion/quantize-linear.js";
import { Conv } from "./convolution/conv.js";
import { ConvTranspose } from "./convolution/conv-transpose.js";
import { Gather } from "./gather/gather.js";
import { GatherElements } from "./gather/gather-elements.js";
import { GatherND } from "./gather/gather-nd.js";
import { ScatterElements } from "./gather/scatter-elements.js";
import { ScatterND } from "./gather/scatter-nd.js";
import { GridSample } from "./image/grid-sample.js";
import { Resize } from "./image/resize.js";
import { And } from "./logic/and.js";
import { BitShift } from "./logic/bit-shift.js";
import { BitwiseAnd } from "./logic/bitwise-and.js";
import { BitwiseNot } from "./logic/bitwise-not.js";
import { BitwiseOr } from "./logic/bitwise-or.js";
import { BitwiseXor } from "./logic/bitwise-xor.js";
import { Equal } from "./logic/equal.js";
import { Greater } from "./logic/greater.js";
import { GreaterOrEqual } from "./logic/greater-or-equal.js";
import { IsInf } from "./logic/is-inf.js";
import { IsNaN } from "./logic/is-nan.js";
import { Less } from "./logic/less.js";
import { LessOrEqual } from "./logic/less-or-equal.js";
import { Not } from "./logic/not.js";
import { Or } from "./logic/or.js";
import { Where } from "./logic/where.js";
import { Xor } from "./logic/xor.js";
import { Einsum } from "./matrix/einsum.js";
import { Gemm } from "./matrix/gemm.js";
import { MatMul } from "./matrix/mat-mul.js";
import { BatchNormalization } from "./normalization/batch-normalization.js";
import { GroupNormalization } from "./normalization/group-normalization.js";
import { InstanceNormalization } from "./normalization/instance-normalization.js";
import { LayerNormalization } from "./normalization/layer-normalization.js";
import { LpNormalization } from "./normalization/lp-normalization.js";
import { LRN } from "./normalization/lrn.js";
import { MeanVarianceNormalization } from "./normalization/mean-variance-normalization.js";
import { AveragePool } from "./pooling/average-pool.js";
import { GlobalAveragePool } from "./pooling/global-average-pool.js";
import { GlobalLpPool } from "./pooling/global-lp-pool.js";
import { GlobalMaxPool } from "./pooling/global-max-pool.js";
import { LpPool } from "./pooling/lp-pool.js";
import { MaxPool } from "./pooling/max-pool.js";
import { MaxUnpool } from "./pooling/max-unpool.js";
import { ConvInteger } from "./quantized/conv-integer.js";
import { DynamicQuantizeLinear } from "./quantized/dynamic-quantize-linear.js";
import { MatMulInteger } from "./quantized/mat-mul-integer.js";
import { QLinearConv } from "./quantized/q-linear-conv.js";
import { QLinearMatMul } from "./quantized/q-linear-mat-mul.js";
import { ArgMax } from "./reduction/arg-max.js";
import { ArgMin } from "./reduction/arg-min.js";
import { ReduceL1 } from "./reduction/reduce-l1.js";
import { ReduceL2 } from "./reduction/reduce-l2.js";
import { ReduceLogSum } from "./reduction/reduce-log-sum.js";
import { ReduceLogSumExp } from "./reduction/reduce-log-sum-exp.js";
import { ReduceMax } from "./reduction/reduce-max.js";
import { ReduceMean } from "./reduction/reduce-mean.js";
import { ReduceMin } from "./reduction/reduce-min.js";
import { ReduceProd } from "./reduction/reduce-prod.js";
import { ReduceSum } from "./reduction/reduce-sum.js";
import { ReduceSumSquare } from "./reduction/reduce-sum-square.js";
import { TopK } from "./reduction/top-k.js";
import { Concat } from "./shape/concat.js";
import { DepthToSpace } from "./shape/depth-to-space.js";
import { Expand } from "./shape/expand.js";
import { Flatten } from "./shape/flatten.js";
import { Identity } from "./shape/identity.js";
import { Pad } from "./shape/pad.js";
import { Reshape } from "./shape/reshape.js";
import { ReverseSequence } from "./shape/reverse-sequence.js";
import { Shape } from "./shape/shape.js";
import { Size } from "./shape/size.js";
import { Slice } from "./shape/slice.js";
import { SpaceToDepth } from "./shape/space-to-depth.js";
import { Split } from "./shape/split.js";
import { Squeeze } from "./shape/squeeze.js";
import { Tile } from "./shape/tile.js";
import { Transpose } from "./shape/transpose.js";
import { Trilu } from "./shape/trilu.js";
import { Unsqueeze } from "./shape/unsqueeze.js";
import { Acos } from "./trigonometry/acos.js";
import { Acosh } from "./trigonometry/acosh.js";
import { Asin } from "./trigonometry/asin.js";
import { Asinh } from "./trigonometry/asinh.js";
import { Atan } from "./trigonometry/atan.js";
import { Atanh } from "./trigonometry/atanh.js";
import { Cos } from "./trigonometry/cos.js";
import { Cosh } from "./trigonometry/cosh.js";
import { Sin } from "./trigonometry/sin.js";
import { Sinh } from "./trigonometry/sinh.js";
import { Tan } from "./trigonometry/tan.js";

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
  ConvInteger,
  ConvTranspose,
  Cos,
  Cosh,
  CumSum,
  DepthToSpace,
  DequantizeLinear,
  Div,
  Dropout,
  DynamicQuantizeLinear,
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
  MatMulInteger,
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
  QLinearConv,
  QLinearMatMul,
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
