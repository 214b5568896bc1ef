/** @file Einsum: products of the operands' elements, summed over the labels that the result has not. The gradient of an operand
 *  is an Einsum of dY and the other operands. Spec: ONNX Einsum-12. */
import { type Dims, sizeOf, stridesOf } from "../../core/shape.js";
import { string } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef, type VjpContext } from "../../graph/op.js";
import { shapeOf, unsqueeze } from "../support/emit.js";
import { type Equation, equationOf, type Labels, showTerm } from "../support/equation.js";
import { given, ndZeros, walkOffsets } from "../support/nd.js";

const equation = (ctx: Pick<VjpContext, "node" | "inputs">): Equation =>
  equationOf(
    ctx.node,
    ctx.inputs.map((_, i) => inputType(ctx, i).shape),
  );

/** Labels of the result, then those that are summed over. */
const inOrder = ({ output, lengths }: Equation): Labels => [
  ...output,
  ...[...lengths.keys()].filter((label) => !output.includes(label)),
];

function contract(e: Equation, operands: readonly NdArray[]): NdArray {
  const labels = inOrder(e);
  const lengthsOf = (some: Labels) => some.map((label) => e.lengths.get(label) as number);
  const y = ndZeros(lengthsOf(e.output));
  const dims = lengthsOf(labels);
  const offsets = operands.map((x, i) => walkOffsets(dims, stepsOf(x.dims, e.operands[i], labels)));
  const terms = sizeOf(lengthsOf(labels.slice(e.output.length)));
  for (let at = 0; at < sizeOf(dims); at++)
    y.data[Math.floor(at / terms)] += operands.reduce((product, x, i) => product * x.data[offsets[i]?.[at]], 1);
  return y;
}

/** Steps of an operand along all labels: 0 for those it has not, or has with length 1. */
function stepsOf(dims: Dims, own: Labels, labels: Labels): readonly number[] {
  const strides = stridesOf(dims);
  return labels.map((label) => {
    const axis = own.indexOf(label);
    return axis < 0 || dims[axis] === 1 ? 0 : strides[axis];
  });
}

/** Labels of operand i along which it is not stretched. */
const fullLabels = (ctx: VjpContext, e: Equation, i: number): Labels =>
  e.operands[i].filter((label, axis) => inputType(ctx, i).shape[axis] !== 1 || e.lengths.get(label) === 1);

/** dX of operand i: its labels that dY and the others have, summed over all else; labels that only it has are repeated, and
 *  those that it was stretched along are summed. */
function operandGradient(ctx: VjpContext, e: Equation, i: number, dy: ValueName): ValueName {
  const { b, node } = ctx;
  const { shape } = inputType(ctx, i);
  const others = e.operands.map((_, k) => k).filter((k) => k !== i);
  const reached = new Set([...e.output, ...others.flatMap((k) => fullLabels(ctx, e, k))]);
  const kept = fullLabels(ctx, e, i).filter((label) => reached.has(label));
  const terms = [e.output, ...others.map((k) => e.operands[k])].map(showTerm);
  const grad = b.op(
    "Einsum",
    [dy, ...others.map((k) => node.inputs[k])],
    { equation: string(`${terms.join(",")}->${showTerm(kept)}`) },
    "grad",
  );
  const missing = e.operands[i].flatMap((label, axis) => (kept.includes(label) ? [] : [axis]));
  const full = unsqueeze(b, grad, missing);
  return missing.every((axis) => shape[axis] === 1)
    ? full
    : b.op("Expand", [full, shapeOf(b, node.inputs[i], shape)], {}, "grad");
}

export const Einsum: OpDef = {
  type: "Einsum",
  limit: "a label repeated within one term is refused",
  infer: (ctx) => {
    const { output, lengths } = equation(ctx);
    return [{ dtype: inputType(ctx, 0).dtype, shape: output.map((label) => lengths.get(label) ?? 1) }];
  },
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined) return [];
    const e = equation(ctx);
    return ctx.inputs.map((_, i) => (ctx.needs(i) ? operandGradient(ctx, e, i, dy) : undefined));
  },
  run: (inputs, { node }) => {
    const operands = inputs.map((_, i) => given(inputs, i));
    return [
      contract(
        equationOf(
          node,
          operands.map((x) => x.dims),
        ),
        operands,
      ),
    ];
  },
  macs: ({ node, inputs }) => sizeOf([...equationOf(node, inputs as readonly Dims[]).lengths.values()] as number[]),
};
