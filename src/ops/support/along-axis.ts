/** @file Gradients of operators that combine elements along one axis with fixed weights (Gather,
 *  Pad, Resize). The gradient applies the transposed matrix of weights along that axis. One
 *  MatMul does this in every opset, even when indices repeat. */
import { type Dim, multiplyDims, type Shape } from "../../core/shape.js";
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { tooLarge } from "../../graph/limits.js";
import { inputType, type VjpContext } from "../../graph/op.js";
import { reshapeTo } from "./emit.js";
import { noGradient } from "./known.js";

/** Limit on the elements of a constant matrix of weights. */
const MATRIX_LIMIT = 2 ** 24;

/** The check before a matrix of weights is made: a few bytes of pads or scales can ask for any
 * size.
 * @throws DynnError 'model/limit' */
export function checkMatrix(node: Node, from: number, to: number): void {
  if (!(from * to <= MATRIX_LIMIT))
    throw tooLarge(showNode(node), `its gradient needs a matrix of ${from} x ${to}`, `${MATRIX_LIMIT} elements`);
}

/** The transposed matrix [length, picks]. It is 1 where pick k selects element i. A pick of -1
 * selects nothing. */
export function selectionMatrix(picks: readonly number[], length: number): Tensor {
  const data = new Float64Array(length * picks.length);
  picks.forEach((at, k) => {
    if (at >= 0) data[at * picks.length + k] = 1;
  });
  return fromNumbers("float64", [length, picks.length], data);
}

/** A matrix [length, picks] computed by nodes of the graph. */
export interface Selection {
  readonly value: ValueName;
  readonly picks: Dim;
}

/** The gradient before the operator along `axis`.
 * @param grad gradient after the operator: `shape` with another length along the axis
 * @param shape shape before the operator
 * @param matrix [shape[axis], length after]: a constant or a value
 * @throws DynnError 'gradient/none' when more than one of the lengths before, along and after
 *   the axis is unknown */
export function adjointAlongAxis(
  ctx: VjpContext,
  grad: ValueName,
  shape: Shape,
  axis: number,
  matrix: Tensor | Selection,
): ValueName {
  const { b } = ctx;
  const weights =
    "value" in matrix
      ? matrix.value
      : b.constant(fromNumbers(inputType(ctx, 0).dtype, matrix.dims, matrix.data as Float64Array));
  const picks = "value" in matrix ? matrix.picks : matrix.dims[1];
  const around = [multiplyDims(shape.slice(0, axis)), picks, multiplyDims(shape.slice(axis + 1))];
  if (around.filter((d) => typeof d === "string").length > 1)
    throw noGradient(
      ctx.node,
      "more than one length around the axis is unknown. Export the model with a fixed image size",
    );
  const product = b.op("MatMul", [weights, reshapeTo(b, grad, around)], {}, "grad");
  return reshapeTo(b, product, shape, ctx.node.inputs[0]);
}
