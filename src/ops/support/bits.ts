/** @file Builder of operators on the bits of integers. Kernels count in float64, so the bits are looked at as BigInt, negative
 *  numbers in two's complement; an int64 beyond 2^53 is rounded before it gets here. */
import { byteSize, type DType } from "../../core/dtype.js";
import { broadcastShapes } from "../../core/shape.js";
import { showNode } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, mismatch, type NoGradient, type OpDef } from "../../graph/op.js";
import { given, ndBroadcast } from "./nd.js";

export const INTEGER: NoGradient = { none: "its output is an integer" };

export const UNSIGNED: readonly DType[] = ["uint8", "uint16", "uint32", "uint64"];
export const INTEGERS: readonly DType[] = [...UNSIGNED, "int8", "int16", "int32", "int64"];

/** An integer brought back into the range of a dtype, as a machine drops the bits that do not fit. */
export function wrapped(value: bigint, dtype: DType): number {
  const bits = 8 * byteSize(dtype);
  return Number(UNSIGNED.includes(dtype) ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value));
}

/** @throws DynnError 'shape/mismatch' for a dtype that is not among the allowed ones */
export function checkInteger(node: Node, dtype: DType, allowed: readonly DType[]): void {
  if (allowed.includes(dtype)) return;
  throw mismatch(node, `its input is ${dtype}, expected ${allowed.join(", ")}. Export the model again.`, { dtype });
}

/** y = f(x, w) of two integers, with broadcasting. */
export const bitwise = (
  type: string,
  f: (x: bigint, w: bigint, node: Node) => bigint,
  allowed: readonly DType[] = INTEGERS,
): OpDef => ({
  type,
  infer: (ctx) => {
    const [x, w] = [inputType(ctx, 0), inputType(ctx, 1)];
    checkInteger(ctx.node, x.dtype, allowed);
    return [{ dtype: x.dtype, shape: broadcastShapes(x.shape, w.shape, showNode(ctx.node)) }];
  },
  vjp: INTEGER,
  run: (inputs, { node, inputTypes }) => [
    ndBroadcast(
      [given(inputs, 0), given(inputs, 1)],
      (x, w) => wrapped(f(BigInt(x), BigInt(w), node), inputTypes[0] ?? "int64"),
      showNode(node),
    ),
  ],
});
