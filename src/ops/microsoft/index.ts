/** @file The operators of ONNX Runtime's own domain that its quantizer writes. */
import type { OpDef } from "../../graph/op.js";
import { DequantizeLinear } from "../conversion/dequantize-linear.js";
import { QuantizeLinear } from "../conversion/quantize-linear.js";
import { QGemm } from "./q-gemm.js";
import { QLinearAdd } from "./q-linear-add.js";
import { QLinearAveragePool } from "./q-linear-average-pool.js";
import { QLinearConcat } from "./q-linear-concat.js";
import { QLinearGlobalAveragePool } from "./q-linear-global-average-pool.js";
import { QLinearLeakyRelu } from "./q-linear-leaky-relu.js";
import { QLinearMul } from "./q-linear-mul.js";
import { QLinearSigmoid } from "./q-linear-sigmoid.js";
import { QLinearSoftmax } from "./q-linear-softmax.js";

/** The domain of these operators. */
export const MICROSOFT_DOMAIN = "com.microsoft";

export const MICROSOFT_OPS = {
  DequantizeLinear,
  QGemm,
  QLinearAdd,
  QLinearAveragePool,
  QLinearConcat,
  QLinearGlobalAveragePool,
  QLinearLeakyRelu,
  QLinearMul,
  QLinearSigmoid,
  QLinearSoftmax,
  QuantizeLinear,
} satisfies Readonly<Record<string, OpDef>>;
