/** @file One small network in the forms that ONNX Runtime's quantizer writes: float, QDQ, QOperator and dynamic. Weights are int8
 *  and symmetric with one scale per output channel (QOperator Gemm: one scale), biases are int32 with the scale of the product,
 *  and activations are uint8 from the ranges of a calibration run. Source: onnxruntime/python/tools/quantization. */
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { random } from "./gradcheck.js";

export type QuantizedForm = "float" | "qdq" | "qoperator" | "dynamic";

export const CLASSES = 5;
export const IMAGE = [3, 8, 8] as const;

/** Random pixels in [0,1]. */
export const photos = (count: number, seed = 3): Tensor<"float32"> =>
  fromNumbers("float32", [count, ...IMAGE], toNumbers(random([count, ...IMAGE], seed, 0, 1)));

const ATTRIBUTES: Attributes = { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) };
const WEIGHTS = {
  c1: random([4, 3, 3, 3], 11),
  c2: random([6, 4, 3, 3], 12),
  exit0: random([CLASSES, 4], 13),
  logits: random([CLASSES, 6], 14),
} as const;
const BIASES = {
  c1: random([4], 21),
  c2: random([6], 22),
  exit0: random([CLASSES], 23),
  logits: random([CLASSES], 24),
};
type Layer = keyof typeof WEIGHTS;

/** A value with the scale and the zero point of its uint8 form. */
interface Steps {
  readonly name: ValueName;
  readonly scale: number;
  readonly zero: number;
}

const f32 = (dims: readonly number[], values: ArrayLike<number>): Tensor => fromNumbers("float32", dims, values);
const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** int8 weights with one scale per output channel, or one in all. */
function int8(w: Tensor, perChannel: boolean): { readonly steps: Tensor<"int8">; readonly scales: readonly number[] } {
  const values = toNumbers(w);
  const each = values.length / w.dims[0];
  const rows = perChannel ? w.dims[0] : 1;
  const size = perChannel ? each : values.length;
  const scales = Array.from({ length: rows }, (_, i) =>
    Math.fround(largest(values.slice(i * size, (i + 1) * size)) / 127),
  );
  return {
    steps: fromNumbers(
      "int8",
      w.dims,
      values.map((v, i) => Math.round(v / scales[Math.floor(i / size)])),
    ),
    scales,
  };
}

class Network {
  readonly b: GraphBuilder;
  readonly #form: QuantizedForm;
  readonly #share: number;

  constructor(form: QuantizedForm, opset: number, share: number) {
    this.b = new GraphBuilder(emptyGraph(form, opset));
    this.#form = form;
    this.#share = share;
  }

  /** Scale and zero point from the range of the float network, made smaller by `share`. */
  steps(name: ValueName): Steps {
    const values = toNumbers(calibration()[name]);
    const [low, high] = [Math.min(0, ...values) * this.#share, Math.max(0, ...values) * this.#share];
    const scale = Math.fround((high - low) / 255);
    return { name, scale, zero: Math.round(-low / scale) };
  }

  scale = (s: Steps): ValueName => this.b.constant(f32([], [s.scale]), `${s.name}_scale`);
  zero = (s: Steps): ValueName => this.b.constant(fromNumbers("uint8", [], [s.zero]), `${s.name}_zero_point`);
  quantize = (x: ValueName, s: Steps): ValueName =>
    this.b.op("QuantizeLinear", [x, this.scale(s), this.zero(s)], {}, `${s.name}_quantized`);
  dequantize = (x: ValueName, s: Steps, hint = `${s.name}_dequantized`): ValueName =>
    this.b.op("DequantizeLinear", [x, this.scale(s), this.zero(s)], {}, hint);

  private microsoft(
    opType: string,
    inputs: readonly ValueName[],
    hint: string,
    attributes: Attributes = {},
  ): ValueName {
    const output = this.b.fresh(hint);
    this.b.append({ opType, domain: "com.microsoft", name: `/${hint}_quant`, inputs, outputs: [output], attributes });
    return output;
  }

  /** A value between layers in the network's form. */
  value(x: ValueName, name: ValueName): ValueName {
    if (this.#form !== "qdq") return x;
    const s = this.steps(name);
    return this.dequantize(this.quantize(x, s), s);
  }

  layer(layer: Layer, x: ValueName, from: Steps): ValueName {
    const isConv = WEIGHTS[layer].dims.length === 4;
    if (this.#form === "float")
      return this.b.op(
        isConv ? "Conv" : "Gemm",
        [
          x,
          this.b.constant(f32(WEIGHTS[layer].dims, WEIGHTS[layer].data), `${layer}.weight`),
          this.b.constant(f32(BIASES[layer].dims, BIASES[layer].data), `${layer}.bias`),
        ],
        isConv ? ATTRIBUTES : { transB: int(1) },
        layer,
      );
    const { steps, scales } = int8(WEIGHTS[layer], this.#form !== "dynamic" && (isConv || this.#form === "qdq"));
    const w = this.b.constant(steps, `${layer}.weight_quantized`);
    if (this.#form === "dynamic") return this.#dynamic(layer, x, w, steps, scales[0]);
    const products = scales.map((s) => Math.fround(from.scale * s));
    const bias = fromNumbers(
      "int32",
      BIASES[layer].dims,
      toNumbers(BIASES[layer]).map((v, i) => Math.round(v / products[i % products.length])),
    );
    const biasName = this.b.constant(bias, `${layer}.bias_quantized`);
    const scale = this.b.constant(f32(scales.length === 1 ? [] : [scales.length], scales), `${layer}.weight_scale`);
    const zero = this.b.constant(
      fromNumbers(
        "int8",
        scales.length === 1 ? [] : [scales.length],
        scales.map(() => 0),
      ),
      `${layer}.weight_zero_point`,
    );
    if (this.#form === "qdq") {
      const axis = { axis: int(0) };
      const weight = this.b.op("DequantizeLinear", [w, scale, zero], axis, `${layer}.weight`);
      const biasScale = this.b.constant(f32([products.length], products), `${layer}.bias_scale`);
      const biasZero = this.b.constant(
        fromNumbers(
          "int32",
          [products.length],
          products.map(() => 0),
        ),
      );
      const b = this.b.op("DequantizeLinear", [biasName, biasScale, biasZero], axis, `${layer}.bias`);
      return this.b.op(isConv ? "Conv" : "Gemm", [x, weight, b], isConv ? ATTRIBUTES : { transB: int(1) }, layer);
    }
    const to = this.steps(layer === "c1" || layer === "c2" ? `${layer}.relu` : layer);
    const inputs = [x, this.scale(from), this.zero(from), w, scale, zero];
    return isConv
      ? this.b.op("QLinearConv", [...inputs, this.scale(to), this.zero(to), biasName], ATTRIBUTES, `${layer}_quantized`)
      : this.microsoft("QGemm", [...inputs, biasName, this.scale(to), this.zero(to)], `${layer}_quantized`, {
          transB: int(1),
        });
  }

  /** ConvInteger or MatMulInteger after DynamicQuantizeLinear, then Cast, Mul and Add. */
  #dynamic(layer: Layer, x: ValueName, w: ValueName, steps: Tensor, weightScale: number): ValueName {
    const { b } = this;
    const [q, scale, zero] = b.ops("DynamicQuantizeLinear", [x], 3, {}, `${layer}_input`);
    const isConv = steps.dims.length === 4;
    const weight = isConv ? w : b.constant(turned(steps), `${layer}.weight_turned`);
    const weightZero = b.constant(fromNumbers("int8", [], [0]));
    const sums = isConv
      ? b.op("ConvInteger", [q, weight, zero, weightZero], ATTRIBUTES)
      : b.op("MatMulInteger", [q, weight, zero, weightZero]);
    const factor = b.op("Mul", [scale, b.constant(f32([], [weightScale]))]);
    const real = b.op("Mul", [b.op("Cast", [sums], { to: int(1) }), factor]);
    const bias = BIASES[layer];
    return b.op("Add", [real, b.constant(f32(isConv ? [1, bias.data.length, 1, 1] : bias.dims, bias.data))], {}, layer);
  }

  relu(x: ValueName, name: ValueName): ValueName {
    return this.#form === "qoperator" ? x : this.b.op("Relu", [x], {}, name);
  }

  mean(x: ValueName, from: Steps, name: ValueName): ValueName {
    if (this.#form !== "qoperator") return this.b.op("GlobalAveragePool", [x], {}, name);
    const to = this.steps(name);
    return this.microsoft(
      "QLinearGlobalAveragePool",
      [x, this.scale(from), this.zero(from), this.scale(to), this.zero(to)],
      `${name}_quantized`,
      { channels_last: int(0) },
    );
  }
}

function turned(t: Tensor): Tensor {
  const [rows, columns] = t.dims;
  const values = toNumbers(t);
  return fromNumbers(
    "int8",
    [columns, rows],
    Float64Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]),
  );
}

let calibrated: Readonly<Record<string, Tensor>> | undefined;
const NAMES = ["image", "c1.relu", "p1", "c2.relu", "g1", "g2", "exit0", "logits"];

/** The values of the float network on the calibration images. */
const calibration = (): Readonly<Record<string, Tensor>> =>
  (calibrated ??= {
    ...runReference(quantizedNetwork("float"), { image: photos(8, 5) }, opTable, NAMES.slice(1)),
    image: photos(8, 5),
  });

/** The network with two exits: exit0 after the first block, and logits.
 * @param options share: activations are quantized for this share of their range, so that a share below 1 clips */
export function quantizedNetwork(
  form: QuantizedForm,
  options: { readonly opset?: number; readonly share?: number } = {},
): Graph {
  const net = new Network(form, options.opset ?? 13, options.share ?? 1);
  const steps = (name: ValueName): Steps =>
    form === "qdq" || form === "qoperator" ? net.steps(name) : { name, scale: 1, zero: 0 };
  const image = net.b.input("image", "float32", ["n", ...IMAGE]);
  const start = form === "qoperator" ? net.quantize(image, steps("image")) : net.value(image, "image");
  const r1 = net.value(net.relu(net.layer("c1", start, steps("image")), "c1.relu"), "c1.relu");
  const pooled = net.b.op("MaxPool", [r1], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, "p1");
  const p1 = form === "qdq" ? net.value(pooled, "c1.relu") : pooled;
  const r2 = net.value(net.relu(net.layer("c2", p1, steps("c1.relu")), "c2.relu"), "c2.relu");
  exit(net, form, "exit0", p1, "c1.relu", "g1");
  exit(net, form, "logits", r2, "c2.relu", "g2");
  return inferShapes(net.b.build(), opTable);
}

function exit(
  net: Network,
  form: QuantizedForm,
  layer: "exit0" | "logits",
  x: ValueName,
  from: ValueName,
  mean: ValueName,
): void {
  const { b } = net;
  const steps = (name: ValueName): Steps =>
    form === "qdq" || form === "qoperator" ? net.steps(name) : { name, scale: 1, zero: 0 };
  const flat = b.op("Flatten", [net.value(net.mean(x, steps(from), mean), mean)]);
  const made = net.layer(layer, flat, steps(mean));
  const isQuantized = form === "qdq" || form === "qoperator";
  const q = form === "qdq" ? net.quantize(made, steps(layer)) : made;
  const answer = isQuantized ? net.dequantize(q, steps(layer), form === "qdq" ? `${layer}_answer` : layer) : made;
  b.output(answer, "float32", ["n", CLASSES]);
}
