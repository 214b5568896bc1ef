/** @file MatMul: matrix product with broadcast leading axes; a 1-D operand is a row (left) or a column (right).
 *  Spec: ONNX MatMul-13, numpy.matmul. */
import { broadcastShapes, type Dim, type Dims, type Shape, sizeOf } from "../../core/shape.js";
import { int, showNode } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, mismatch, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { reshapeTo, squeeze, transpose, unbroadcast, unsqueeze } from "../support/emit.js";
import { broadcastOffsets, given, ndZeros } from "../support/nd.js";

/** Both operands with at least two axes, and the broadcast leading axes. */
interface Matrices {
  readonly a: Shape;
  readonly b: Shape;
  readonly lead: readonly Dim[];
}

function matricesOf(node: Node, a: Shape, b: Shape): Matrices {
  if (a.length === 0 || b.length === 0)
    throw mismatch(
      node,
      `operands have shapes [${a}] and [${b}], expected at least one axis each. Use Mul for numbers.`,
    );
  const [left, right] = [a.length === 1 ? [1, a[0]] : a, b.length === 1 ? [b[0], 1] : b];
  const [across, down] = [left.at(-1), right.at(-2)];
  if (typeof across === "number" && typeof down === "number" && across !== down)
    throw mismatch(node, `[${a}] times [${b}]: ${across} columns against ${down} rows. Make them equal.`, { a, b });
  return { a: left, b: right, lead: broadcastShapes(left.slice(0, -2), right.slice(0, -2), showNode(node)) };
}

/** The shape of the product; the axis that a 1-D operand was given is dropped again. */
function productShape(node: Node, a: Shape, b: Shape): Dim[] {
  const m = matricesOf(node, a, b);
  return [...m.lead, ...(a.length === 1 ? [] : [m.a.at(-2) as Dim]), ...(b.length === 1 ? [] : [m.b.at(-1) as Dim])];
}

function multiply(node: Node, a: NdArray, b: NdArray): NdArray {
  const m = matricesOf(node, a.dims, b.dims);
  const [lead, rows, inner, columns] = [
    m.lead as number[],
    m.a.at(-2) as number,
    m.a.at(-1) as number,
    m.b.at(-1) as number,
  ];
  const y = ndZeros(productShape(node, a.dims, b.dims) as number[]);
  const [fromA, fromB] = [
    broadcastOffsets(m.a.slice(0, -2) as number[], lead),
    broadcastOffsets(m.b.slice(0, -2) as number[], lead),
  ];
  for (let batch = 0; batch < fromA.length; batch++)
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < inner; k++) {
        const [left, row, to] = [
          a.data[(fromA[batch] * rows + r) * inner + k],
          (fromB[batch] * inner + k) * columns,
          (batch * rows + r) * columns,
        ];
        for (let c = 0; c < columns; c++) y.data[to + c] += left * b.data[row + c];
      }
  return y;
}

const swapLast = (ctx: VjpContext, x: ValueName, rank: number): ValueName =>
  transpose(ctx.b, x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);

/** dA = dY Bᵀ and dB = Aᵀ dY, summed over broadcast leading axes. */
function gradients(ctx: VjpContext, grad: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const [shapeA, shapeB] = [inputType(ctx, 0).shape, inputType(ctx, 1).shape];
  const m = matricesOf(node, shapeA, shapeB);
  const rank = m.lead.length + 2;
  const left = shapeA.length === 1 ? unsqueeze(b, node.inputs[0], [0]) : node.inputs[0];
  const right = shapeB.length === 1 ? unsqueeze(b, node.inputs[1], [1]) : node.inputs[1];
  const dy = unsqueeze(b, grad, [
    ...(shapeA.length === 1 ? [rank - 2] : []),
    ...(shapeB.length === 1 ? [rank - 1] : []),
  ]);
  return [
    ctx.needs(0) ? leftGradient(ctx, m, dy, right, shapeA.length === 1) : undefined,
    ctx.needs(1) ? rightGradient(ctx, m, dy, left, shapeB.length === 1) : undefined,
  ];
}

function leftGradient(ctx: VjpContext, m: Matrices, dy: ValueName, right: ValueName, vector: boolean): ValueName {
  const { b } = ctx;
  const product = b.op("MatMul", [dy, swapLast(ctx, right, m.b.length)], {}, "grad");
  const grad = unbroadcast(b, product, [...m.lead, ...m.a.slice(-2)], m.a);
  return vector ? squeeze(b, grad, [0]) : grad;
}

/** A shared matrix on the right (weights) takes the sum over the batch inside one product of two matrices. */
function rightGradient(ctx: VjpContext, m: Matrices, dy: ValueName, left: ValueName, vector: boolean): ValueName {
  const { b } = ctx;
  const [across, columns] = m.b.slice(-2) as [Dim, Dim];
  const shared =
    m.b.length === 2 &&
    m.a.length > 2 &&
    typeof across === "number" &&
    typeof columns === "number" &&
    across * columns > 0;
  const grad = shared
    ? b.op("Gemm", [reshapeTo(b, left, [-1, across]), reshapeTo(b, dy, [-1, columns])], { transA: int(1) }, "grad")
    : unbroadcast(
        b,
        b.op("MatMul", [swapLast(ctx, left, m.a.length), dy], {}, "grad"),
        [...m.lead, ...m.b.slice(-2)],
        m.b,
      );
  return vector ? squeeze(b, grad, [1]) : grad;
}

export const MatMul: OpDef = {
  type: "MatMul",
  infer: (ctx) => [
    { dtype: inputType(ctx, 0).dtype, shape: productShape(ctx.node, inputType(ctx, 0).shape, inputType(ctx, 1).shape) },
  ],
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => [multiply(node, given(inputs, 0), given(inputs, 1))],
  macs: ({ inputs, outputs }) => sizeOf(outputs[0]) * ((inputs[0] as Dims).at(-1) as number),
};
