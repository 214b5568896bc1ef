/** @file Gemm: Y = alpha * A' * B' + beta * C, where A' and B' may be transposed and C broadcasts. Spec: ONNX Gemm-13. */
import { broadcastShapes, type Dim, type Dims, type Shape } from "../../core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../core/tensor.js";
import { attribute, float, int, showNode } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { type ChannelAffine, inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { unbroadcast } from "../support/emit.js";
import { broadcastOffsets, given, ndTranspose, ndZeros } from "../support/nd.js";

interface Form {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

const formOf = (node: Node): Form => ({
  alpha: attribute(node, "alpha", "float") ?? 1,
  beta: attribute(node, "beta", "float") ?? 1,
  transA: (attribute(node, "transA", "int") ?? 0) !== 0,
  transB: (attribute(node, "transB", "int") ?? 0) !== 0,
});

function productShape(node: Node, a: Shape, b: Shape, c: Shape | undefined): Dim[] {
  const { transA, transB } = formOf(node);
  if (a.length !== 2 || b.length !== 2)
    throw mismatch(node, `A has shape [${a}] and B [${b}], expected two axes each. Flatten the input first.`, { a, b });
  const [rows, across] = (transA ? [a[1], a[0]] : a) as [Dim, Dim];
  const [down, columns] = (transB ? [b[1], b[0]] : b) as [Dim, Dim];
  if (typeof across === "number" && typeof down === "number" && across !== down)
    throw mismatch(node, `A gives ${across} features but B expects ${down} (A [${a}], B [${b}]). Make them equal.`, {
      a,
      b,
    });
  const shape = [rows, columns];
  if (
    c &&
    broadcastShapes(shape, c, showNode(node)).some(
      (d, i) => typeof d === "number" && typeof shape[i] === "number" && d !== shape[i],
    )
  )
    throw mismatch(node, `C [${c}] does not broadcast to [${shape}]. Give one bias per column.`, { c });
  return shape;
}

function run(node: Node, a: NdArray, b: NdArray, c: NdArray | undefined): NdArray {
  const { alpha, beta, transA, transB } = formOf(node);
  const [left, right] = [transA ? ndTranspose(a, [1, 0]) : a, transB ? b : ndTranspose(b, [1, 0])];
  const y = ndZeros(productShape(node, a.dims, b.dims, c?.dims) as number[]);
  const [columns, inner] = [y.dims[1], left.dims[1]];
  const bias = c && broadcastOffsets(c.dims, y.dims);
  for (let i = 0; i < y.data.length; i++) {
    const [row, column] = [Math.floor(i / columns) * inner, (i % columns) * inner];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += left.data[row + k] * right.data[column + k];
    y.data[i] = alpha * sum + (bias ? beta * c.data[bias[i]] : 0);
  }
  return y;
}

/** Each gradient is a Gemm again: dA = alpha dY B'ᵀ, dB = alpha A'ᵀ dY, transposed where A or B came transposed. */
function gradients(ctx: VjpContext, dy: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const { alpha, beta, transA, transB } = formOf(node);
  const [left, right] = node.inputs as readonly [ValueName, ValueName];
  const gemm = (x: ValueName, y: ValueName, tx: boolean, ty: boolean) =>
    b.op("Gemm", [x, y], { alpha: float(alpha), transA: int(tx ? 1 : 0), transB: int(ty ? 1 : 0) }, "grad");
  return [
    ctx.needs(0) ? (transA ? gemm(right, dy, transB, true) : gemm(dy, right, false, !transB)) : undefined,
    ctx.needs(1) ? (transB ? gemm(dy, left, true, transA) : gemm(left, dy, !transA, false)) : undefined,
    ctx.needs(2) ? biasGradient(ctx, dy, beta) : undefined,
  ];
}

function biasGradient(ctx: VjpContext, dy: ValueName, beta: number): ValueName {
  const c = inputType(ctx, 2);
  const sum = unbroadcast(ctx.b, dy, ctx.outputs[0]?.shape ?? [], c.shape);
  return beta === 1 ? sum : ctx.b.op("Mul", [sum, ctx.b.scalar(beta, c.dtype)]);
}

/** B with its columns scaled, C scaled and shifted. */
function absorb(
  node: Node,
  b: Tensor,
  c: Tensor | undefined,
  { scale, shift }: ChannelAffine,
): readonly (Tensor | undefined)[] | undefined {
  const { beta, transB } = formOf(node);
  const [columns, inner] = [scale.length, b.dims[transB ? 1 : 0]];
  if (beta === 0 || (c && c.data.length !== columns && c.data.length !== 1)) return undefined;
  const scaled = toNumbers(b).map((v, i) => v * scale[transB ? Math.floor(i / inner) : i % columns]);
  const old = c ? toNumbers(c) : new Float64Array(1);
  const bias = shift.map((v, i) => old[old.length === 1 ? 0 : i] * scale[i] + v / beta);
  return [undefined, fromNumbers(b.dtype, b.dims, scaled), fromNumbers(b.dtype, [columns], bias)];
}

export const Gemm: OpDef = {
  type: "Gemm",
  infer: (ctx) => [
    {
      dtype: inputType(ctx, 0).dtype,
      shape: productShape(ctx.node, inputType(ctx, 0).shape, inputType(ctx, 1).shape, ctx.inputs[2]?.shape),
    },
  ],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => [run(node, given(inputs, 0), given(inputs, 1), inputs[2])],
  macs: ({ node, inputs, outputs }) => {
    const [rows, columns] = outputs[0] as [number, number];
    return rows * columns * (inputs[0] as Dims)[formOf(node).transA ? 0 : 1];
  },
  absorbAffine: (ctx, affine) => {
    const [b, c] = [ctx.constant(1), ctx.constant(2)];
    return !b || (ctx.node.inputs[2] && !c) ? undefined : absorb(ctx.node, b, c, affine);
  },
};
