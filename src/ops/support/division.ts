/** @file Divisions that no runtime survives: the smallest integer divided by -1 overflows, and the processor stops the program (SIGFPE on
 *  x86), in ONNX Runtime as elsewhere. A division by 0 is an error that ONNX Runtime reports. */
import { toNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import { tooLarge, volume } from "../../graph/limits.js";
import { type InferContext, inputType } from "../../graph/op.js";

/** Unknown divisors of more elements are refused: shape arithmetic, which may divide by what only the batch decides, has few. */
const FEW = 64;

const SMALLEST: Readonly<Record<string, number>> = { int32: -(2 ** 31), int64: -(2 ** 63) };

/** @throws DynnError 'model/limit' when an integer quotient may overflow */
export function checkDivision(ctx: InferContext): void {
  const { dtype } = inputType(ctx, 0);
  const smallest = Object.hasOwn(SMALLEST, dtype) ? SMALLEST[dtype] : undefined;
  if (smallest === undefined || lacks(ctx, 1, -1) || lacks(ctx, 0, smallest)) return;
  const isFew = inputType(ctx, 1).shape.every((d) => typeof d === "number") && !isKnown(ctx, 1) && size(ctx, 1) <= FEW;
  if (isFew) return;
  throw tooLarge(
    showNode(ctx.node),
    `it divides by -1, or by what nobody knows, and the quotient of ${smallest}, which may be among its inputs, is larger`,
    dtype,
  );
}

const size = (ctx: InferContext, i: number): number => volume(inputType(ctx, i).shape as readonly number[]);

const isKnown = (ctx: InferContext, i: number): boolean =>
  ctx.inputs[i]?.value !== undefined || ctx.constant(i) !== undefined;

/** Whether input i is known to have no such element; lengths of named dimensions are never negative. */
function lacks(ctx: InferContext, i: number, element: number): boolean {
  const value = ctx.inputs[i]?.value;
  if (value) return !value.includes(element);
  const constant = ctx.constant(i);
  return constant !== undefined && !toNumbers(constant).includes(element);
}
