/** @file Models that are quantised by ONNX Runtime's rules: QDQ pairs, operators on 8-bit integers, dynamic quantisation, fused nodes. */
import { Drawing } from "./drawing.js";
import type { ForeignModel } from "./model.js";

const IMAGE = [3, 8, 8] as const;
const CONV = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] };
const MS = "com.microsoft";

/** A scale and a zero point per tensor. */
function point(
  d: Drawing,
  name: string,
  scale: number,
  zero: number,
  dtype: "uint8" | "int8" = "uint8",
): [string, string] {
  return [d.constant(`${name}_scale`, [], [scale]), d.constant(`${name}_zero_point`, [], [zero], dtype)];
}

/** 8-bit weights that use their range. */
const bytesOf = (d: Drawing, name: string, dims: readonly number[]): string =>
  d.constant(
    `${name}_quantized`,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 37) % 255) - 127),
    "int8",
  );

/** QuantizeLinear and DequantizeLinear around a float value. */
function pair(d: Drawing, x: string, scale: number, zero: number): string {
  const parameters = point(d, x, scale, zero);
  const low = d.op("QuantizeLinear", [x, ...parameters], {}, { output: `${x}_QuantizeLinear_Output` });
  return d.op("DequantizeLinear", [low, ...parameters], {}, { output: `${x}_DequantizeLinear_Output` });
}

/** quantize_static with QuantFormat.QDQ; weights per channel. */
function qdq(opset: number): Uint8Array {
  const d = new Drawing({ opset, producer: "onnx.quantize" });
  const x = pair(d, d.input("image", ["n", 3, 8, 8]), 1 / 255, 0);
  const scales = d.constant(
    "conv.weight_scale",
    [6],
    [1, 2, 3, 4, 5, 6].map((v) => v / 1500),
  );
  const zeros = d.constant("conv.weight_zero_point", [6], [0, 0, 0, 0, 0, 0], "int8");
  const w = d.op(
    "DequantizeLinear",
    [bytesOf(d, "conv.weight", [6, 3, 3, 3]), scales, zeros],
    { axis: 0 },
    { output: "w" },
  );
  const conv = d.op("Relu", [d.op("Conv", [x, w], CONV)], {}, { output: "relu" });
  const pooled = d.op("GlobalAveragePool", [pair(d, conv, 0.01, 0)], {}, { output: "pool" });
  const flat = d.op("Flatten", [pair(d, pooled, 0.01, 0)], { axis: 1 });
  const fc = d.op(
    "DequantizeLinear",
    [bytesOf(d, "fc.weight", [6, 4]), ...point(d, "fc.weight", 0.02, 0, "int8")],
    {},
    { output: "fc" },
  );
  const logits = d.op("MatMul", [flat, fc], {}, { output: "logits_raw" });
  d.output(pair(d, logits, 0.05, 128), ["n", 4]);
  return d.bytes();
}

/** quantize_static with QuantFormat.QOperator: convolutions and products on integers. */
function qoperator(): Uint8Array {
  const d = new Drawing({ opset: 13, producer: "onnx.quantize", domains: [MS] });
  const image = point(d, "image", 1 / 255, 0);
  const x = d.op("QuantizeLinear", [d.input("image", ["n", 3, 8, 8]), ...image]);
  const act = point(d, "conv", 0.02, 0);
  const conv = d.op(
    "QLinearConv",
    [x, ...image, bytesOf(d, "w", [6, 3, 3, 3]), ...point(d, "w", 0.003, 0, "int8"), ...act],
    CONV,
    { name: "/conv/Conv_quant" },
  );
  const pooled = d.op("QLinearGlobalAveragePool", [conv, ...act, ...act], { channels_last: 0 }, { domain: MS });
  const flat = d.op("Reshape", [pooled, d.ints("shape", -1, 6)]);
  const out = point(d, "logits", 0.05, 128);
  const product = d.op("QLinearMatMul", [
    flat,
    ...act,
    bytesOf(d, "fc", [6, 4]),
    ...point(d, "fc", 0.02, 0, "int8"),
    ...out,
  ]);
  d.output(d.op("DequantizeLinear", [product, ...out], {}, { output: "logits" }), ["n", 4]);
  return d.bytes();
}

/** quantize_dynamic: scales are computed from each batch. */
function dynamic(): Uint8Array {
  const d = new Drawing({ opset: 13, producer: "onnx.quantize" });
  const conv = d.op("Relu", [
    d.op("Conv", [d.input("image", ["n", 3, 8, 8]), d.weight("conv.weight", [6, 3, 3, 3])], CONV),
  ]);
  const flat = d.op("Flatten", [d.op("GlobalAveragePool", [conv])], { axis: 1 });
  const [low, scale, zero] = d.ops("DynamicQuantizeLinear", [flat], 3) as [string, string, string];
  const [step] = point(d, "fc", 0.02, 0, "int8");
  const product = d.op("MatMulInteger", [low, bytesOf(d, "fc", [6, 4]), zero, "fc_zero_point"]);
  const whole = d.op("Cast", [product], { to: 1 });
  d.output(d.op("Mul", [whole, d.op("Mul", [scale, step])], {}, { output: "logits" }), ["n", 4]);
  return d.bytes();
}

/** Saved by ONNX Runtime after its own optimisation: nodes of its own domain. */
function optimised(fused: boolean): Uint8Array {
  const d = new Drawing({ opset: 13, domains: [MS] });
  const inputs = [d.input("image", ["n", 3, 8, 8]), d.weight("conv", [6, 3, 3, 3])];
  const conv = fused
    ? d.op("FusedConv", inputs, { ...CONV, activation: "Relu" }, { domain: MS, name: "fused conv1" })
    : d.op("Relu", [d.op("Conv", inputs, CONV)]);
  d.output(
    d.op(
      "MatMul",
      [d.op("Flatten", [d.op("GlobalAveragePool", [conv])]), d.weight("fc", [6, 4])],
      {},
      { output: "logits" },
    ),
    ["n", 4],
  );
  return d.bytes();
}

const MAKER = "ONNX Runtime";
const QUANTISED_TOLERANCE = 0.06;

export const QUANTISED: readonly ForeignModel[] = [
  {
    maker: MAKER,
    form: "QDQ, opset 13, weights per channel",
    image: IMAGE,
    exits: { logits_raw_DequantizeLinear_Output: "logits" },
    tolerance: QUANTISED_TOLERANCE,
    bytes: () => qdq(13),
  },
  {
    maker: MAKER,
    form: "QDQ, opset 21",
    image: IMAGE,
    exits: { logits_raw_DequantizeLinear_Output: "logits" },
    tolerance: QUANTISED_TOLERANCE,
    bytes: () => qdq(21),
  },
  {
    maker: MAKER,
    form: "QOperator: QLinearConv and QLinearMatMul",
    image: IMAGE,
    exits: { logits: "logits" },
    tolerance: QUANTISED_TOLERANCE,
    bytes: qoperator,
  },
  {
    maker: MAKER,
    form: "dynamic: DynamicQuantizeLinear and MatMulInteger",
    image: IMAGE,
    exits: { logits: "logits" },
    tolerance: QUANTISED_TOLERANCE,
    bytes: dynamic,
  },
  {
    maker: MAKER,
    form: "saved after optimisation: FusedConv",
    code: "model/op",
    says: "FusedConv",
    bytes: () => optimised(true),
    exported: () => optimised(false),
  },
];
