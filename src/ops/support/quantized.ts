/** @file Builders of operators on quantized tensors: integer products, and float operators whose
 *  inputs and outputs are integers with a scale and a zero point. */
import type { DType } from "../../core/dtype.js";
import { stridesOf } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node, ValueType } from "../../graph/graph.js";
import {
  type InferContext,
  inputType,
  type KernelContext,
  mismatch,
  type NdArray,
  type OpDef,
} from "../../graph/op.js";
import { given, ndMap } from "./nd.js";
import { centered, QUANTIZED, rangeOf, toStep } from "./quantize.js";

/** The context of a shape rule with other inputs. */
export const withInputs = (ctx: InferContext, indices: readonly number[]): InferContext => ({
  ...ctx,
  inputs: indices.map((i) => ctx.inputs[i]),
  constant: (i) => ctx.constant(indices[i]),
});

/** The real numbers of a quantized tensor with one scale. */
export function realOf(node: Node, inputs: readonly (NdArray | undefined)[], at: number): NdArray {
  const scale = given(inputs, at + 1).data[0];
  return ndMap(centered(node, given(inputs, at), inputs[at + 2], 0), (v) => Math.fround(v * scale));
}

/** The steps of real numbers. */
export function stepsOf(x: NdArray, scale: NdArray, zero: NdArray | undefined, dtype: DType): NdArray {
  const range = rangeOf(dtype);
  return ndMap(x, (v) => toStep(Math.fround(v / scale.data[0]), zero?.data[0] ?? 0, range));
}

/** Where a quantized operator has its inputs: the quantized tensors (each followed by its scale
 * and zero point), and the scale of the result (followed by its zero point). */
export interface Places {
  readonly tensors: (count: number) => readonly number[];
  readonly scale: number;
}

/** One tensor, then the scale of the result. */
export const ONE_TENSOR: Places = { tensors: () => [0], scale: 3 };
/** Two tensors, then the scale of the result. */
export const TWO_TENSORS: Places = { tensors: () => [0, 3], scale: 6 };

/** An operator that computes `def` on the real numbers of its inputs and quantizes the result.
 * @param opsetOf the opset in whose form the node states its attributes */
export const onRealNumbers = (
  type: string,
  def: OpDef,
  { tensors, scale }: Places,
  opsetOf: (node: Node) => number | undefined = () => undefined,
): OpDef => {
  const indicesOf = (node: Node) => tensors(node.inputs.length);
  const inner = (node: Node): Node => ({ ...node, inputs: indicesOf(node).map((i) => node.inputs[i]) });
  return {
    type,
    takes: ["any"],
    limit: "one scale per channel is refused",
    infer: (ctx) => {
      const indices = indicesOf(ctx.node);
      checkOneScale(ctx, scale, ...indices.map((i) => i + 1));
      checkChannelsFirst(ctx.node);
      const opset = opsetOf(ctx.node) ?? ctx.opset;
      const [y] = def.infer({ ...withInputs(ctx, indices), node: inner(ctx.node), opset });
      return [{ dtype: (ctx.inputs[scale + 1] ?? inputType(ctx, indices[0])).dtype, shape: y.shape }];
    },
    vjp: QUANTIZED,
    run: (inputs, ctx) => {
      const indices = indicesOf(ctx.node);
      const reals = indices.map((i) => realOf(ctx.node, inputs, i));
      const [y] = def.run(reals, { ...ctx, node: inner(ctx.node), opset: opsetOf(ctx.node) ?? ctx.opset });
      const dtype = ctx.inputTypes[scale + 1] ?? ctx.inputTypes[indices[0]] ?? "uint8";
      return [stepsOf(y, given(inputs, scale), inputs[scale + 1], dtype)];
    },
  };
};

function checkChannelsFirst(node: Node): void {
  if ((attribute(node, "channels_last", "int") ?? 0) === 0) return;
  throw mismatch(node, "its channels come last. Give the file as quantized, before ONNX Runtime optimizes it.");
}

/** Where an integer product has its inputs. Undefined: the operator has no such input. */
export interface ProductPlaces {
  readonly x: number;
  readonly xZero: number;
  readonly w: number;
  readonly wZero: number;
  readonly bias?: number;
}

/** The axes along which zero points per row or per channel lie. */
export interface ProductAxes {
  readonly x: (rank: number) => number;
  readonly w: (rank: number) => number;
}

export const MATRIX_AXES: ProductAxes = { x: (rank) => Math.max(0, rank - 2), w: (rank) => rank - 1 };

/** The parts of an operator whose result is the product of integers. */
export interface IntegerProduct {
  /** The type of the product, int32. */
  readonly infer: (ctx: InferContext) => ValueType;
  readonly run: (inputs: readonly (NdArray | undefined)[], ctx: KernelContext) => NdArray;
  readonly macs: NonNullable<OpDef["macs"]>;
}

/** The product `def` of integers without their zero points. */
export function integerProduct(def: OpDef, at: ProductPlaces, axes: ProductAxes): IntegerProduct {
  const operands = at.bias === undefined ? [at.x, at.w] : [at.x, at.w, at.bias];
  return {
    infer: (ctx) => ({ ...def.infer(withInputs(ctx, operands))[0], dtype: "int32" }),
    run: (inputs, ctx) => {
      const [x, w] = [given(inputs, at.x), given(inputs, at.w)];
      const bias = at.bias === undefined ? undefined : inputs[at.bias];
      const xs = centered(ctx.node, x, inputs[at.xZero], axes.x(x.dims.length));
      const ws = centered(ctx.node, w, inputs[at.wZero], axes.w(w.dims.length));
      return def.run([xs, ws, bias], ctx)[0];
    },
    macs: ({ node, inputs, outputs }) => def.macs?.({ node, inputs: operands.map((i) => inputs[i]), outputs }) ?? 0,
  };
}

/** The scales of two factors: one for a, and one for b or one per index along `axis`. */
export interface FactorScales {
  readonly a: NdArray;
  readonly b: NdArray;
  readonly axis: number;
}

/** Scale, zero point and type of a quantized result. */
export interface StepForm {
  readonly scale: NdArray;
  readonly zero: NdArray | undefined;
  readonly dtype: DType;
}

/** The factor of each element of a product, rounded to float32 as ONNX Runtime does. */
function factorsOf({ dims }: NdArray, { a, b, axis }: FactorScales): (i: number) => number {
  const factors = b.data.map((s) => Math.fround(a.data[0] * s));
  const stride = stridesOf(dims)[axis];
  return factors.length === 1 ? () => factors[0] : (i) => factors[Math.floor(i / stride) % factors.length];
}

/** An integer product as steps of the result. */
export function requantized(sums: NdArray, scales: FactorScales, { scale, zero, dtype }: StepForm): NdArray {
  const [factor, range] = [factorsOf(sums, scales), rangeOf(dtype)];
  const data = sums.data.map((v, i) =>
    toStep(Math.fround(v * Math.fround(factor(i) / scale.data[0])), zero?.data[0] ?? 0, range),
  );
  return { dims: sums.dims, data };
}

/** An integer product as real numbers. */
export function dequantized(sums: NdArray, scales: FactorScales): NdArray {
  const factor = factorsOf(sums, scales);
  return { dims: sums.dims, data: sums.data.map((v, i) => v * factor(i)) };
}

/** @throws DynnError 'shape/mismatch' unless input i has one element */
export function checkOneScale(ctx: InferContext, ...indices: readonly number[]): void {
  for (const i of indices) {
    const { shape } = inputType(ctx, i);
    if (shape.every((d) => d === 1)) continue;
    throw mismatch(ctx.node, `input ${i} has shape [${shape}], expected one scale. Quantize the model per tensor.`, {
      input: i,
      shape,
    });
  }
}
