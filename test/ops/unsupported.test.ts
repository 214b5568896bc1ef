import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { OPS } from "../../src/ops/index.js";
import { opTable } from "../../src/ops/table.js";
import { UNSUPPORTED } from "../../src/ops/unsupported.js";
import { failure } from "../support/failure.js";

/** ONNX's own operators up to opset 21, but for Constant, which the reader resolves. Source: onnx.defs.get_all_schemas() of
 *  onnx 1.12 (opset 17), and the operators that the changelog of the specification adds in 18 to 21. */
const STANDARD = `
  Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli
  BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip
  Col2Im Compress Concat ConcatFromSequence ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT
  DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand
  EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool
  Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax
  Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less
  LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool
  Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss
  NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv
  QLinearMatMul QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal
  ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
  ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign Round STFT Scan Scatter
  ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
  SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss
  Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub
  Sum Tan Tanh TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor
`
  .trim()
  .split(/\s+/);

const use = (opType: string) => {
  const b = new GraphBuilder(emptyGraph("g", 17));
  b.output(b.op(opType, [b.input("x", "float32", [1])], {}, "y"), "float32", undefined);
  return () => inferShapes(b.build(), opTable);
};

describe("every standard operator is known or refused with its reason", () => {
  test("none is missing, none is both", () => {
    expect([...Object.keys(OPS), ...UNSUPPORTED.keys()].sort()).toEqual([...STANDARD].sort());
  });
  test("the table has each operator under its own name", () => {
    expect(Object.entries(OPS).filter(([name, { type }]) => name !== type)).toEqual([]);
  });
});

describe("the error of an operator that dynn does not have", () => {
  test("says why, and what to do", () => {
    expect(use("NonZero")).toThrow(
      failure(
        "model/op",
        'NonZero "y": dynn does not have NonZero: the shape of its output depends on the values of its input, and batches need fixed shapes. Compute it after the model.',
      ),
    );
    expect(use("LSTM")).toThrow(
      failure(
        "model/op",
        'LSTM "y": dynn does not have LSTM yet: recurrent layers are rare in vision. Export the model with the layer unrolled.',
      ),
    );
  });
  test("is another for a name that is not ONNX's", () => {
    expect(use("Swirl")).toThrow(
      failure(
        "model/op",
        'Swirl "y": dynn does not know the operator Swirl. Export with standard ONNX operators; docs/ops.md lists those that dynn knows.',
      ),
    );
  });
});
