/** @file LRN: x / (bias + alpha / size * sum of squares of the `size` channels around)^beta. The gradient sums over neighbours by a
 *  1x1 Conv whose weights are a band. Spec: ONNX LRN-13; Krizhevsky et al. 2012, section 3.3. */
import type { DType } from "../../core/dtype.js";
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { checkMatrix } from "../support/along-axis.js";
import { like } from "../support/elementwise.js";
import { noGradient } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

interface Response {
  readonly size: number;
  /** alpha / size */
  readonly share: number;
  readonly beta: number;
  readonly bias: number;
}

function responseOf(node: Node): Response {
  const size = attribute(node, "size", "int") ?? 0;
  if (size < 1) throw mismatch(node, `size is ${size}, expected at least 1 channel. Export the model again.`, { size });
  const of = (name: string, fallback: number) => attribute(node, name, "float") ?? fallback;
  return { size, share: of("alpha", 1e-4) / size, beta: of("beta", 0.75), bias: of("bias", 1) };
}

/** The first and last channel that count for channel c. */
const around = (c: number, size: number, channels: number): readonly [first: number, last: number] => [
  Math.max(0, c - Math.floor((size - 1) / 2)),
  Math.min(channels - 1, c + Math.ceil((size - 1) / 2)),
];

function normalize(x: NdArray, { size, share, beta, bias }: Response): NdArray {
  const y = ndZeros(x.dims);
  const { outer, length, inner } = aroundAxis(x.dims, 1);
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < length; c++)
      for (let i = 0; i < inner; i++) {
        const at = (k: number) => (o * length + k) * inner + i;
        const [first, last] = around(c, size, length);
        let sum = 0;
        for (let k = first; k <= last; k++) sum += x.data[at(k)] ** 2;
        y.data[at(c)] = x.data[at(c)] / (bias + share * sum) ** beta;
      }
  return y;
}

/** Weights [c, c, 1, ...] that sum, for each channel, the channels that count for it (or that it counts for). */
function band(channels: number, size: number, rank: number, turned: boolean, dtype: DType): Tensor {
  const data = new Float64Array(channels * channels);
  for (let c = 0; c < channels; c++) {
    const [first, last] = around(c, size, channels);
    for (let k = first; k <= last; k++) data[turned ? k * channels + c : c * channels + k] = 1;
  }
  return fromNumbers(dtype, [channels, channels, ...new Array<number>(rank - 2).fill(1)], data);
}

/** With s = bias + share * band(x^2): dx = dy * s^-beta - 2 * beta * share * x * band'(dy * x * s^(-beta - 1)). */
function gradient(ctx: VjpContext, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const [x, channels, { size, share, beta, bias }] = [node.inputs[0], shape[1], responseOf(node)];
  if (typeof channels !== "number" || shape.length < 3)
    throw noGradient(node, "the number of channels is not known. Export the model with images [n,c,h,w]");
  checkMatrix(node, channels, channels);
  const constant = (value: number) => like({ b, ctx }, value);
  const times = (...values: readonly ValueName[]) => values.reduce((p, v) => b.op("Mul", [p, v]));
  const summed = (value: ValueName, turned: boolean) =>
    b.op("Conv", [value, b.constant(band(channels, size, shape.length, turned, dtype))]);
  const s = b.op("Add", [times(summed(times(x, x), false), constant(share)), constant(bias)]);
  const direct = b.op("Div", [dy, b.op("Pow", [s, constant(beta)])]);
  const across = summed(b.op("Div", [times(direct, x), s]), true);
  return b.op("Sub", [direct, times(across, x, constant(2 * beta * share))], {}, "grad");
}

export const LRN: OpDef = {
  type: "LRN",
  takes: ["F"],
  limit: "the gradient needs a known number of channels",
  infer: (ctx) => {
    responseOf(ctx.node);
    return [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : [gradient(ctx, ctx.grads[0])]),
  run: (inputs, { node }) => [normalize(given(inputs, 0), responseOf(node))],
};
