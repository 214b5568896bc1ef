/** @file Refuses integer divisions that stop the process. The smallest integer divided by -1
 *  overflows, and the processor then stops the program (SIGFPE on x86), also in ONNX Runtime. A
 *  division by 0 is an error that ONNX Runtime reports. */
import { toNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import { tooLarge, volume } from "../../graph/limits.js";
import { type InferContext, inputType } from "../../graph/op.js";

/** Unknown divisors with more elements are refused. Shape arithmetic may divide by values that
 * only the batch decides, but it has few elements. */
const FEW = 64;

const SMALLEST: Readonly<Record<string, number>> = { int32: -(2 ** 31), int64: -(2 ** 63) };

/** @throws DynnError 'model/limit' when an integer quotient may overflow */
export function checkDivision(ctx: InferContext): void {
  const { dtype } = inputType(ctx, 0);
  const smallest = Object.hasOwn(SMALLEST, dtype) ? SMALLEST[dtype] : undefined;
  if (smallest === undefined || lacks(ctx, 1, -1) || lacks(ctx, 0, smallest)) return;
  const isFew = inputType(ctx, 1).shape.every((d) => typeof d === "number") && !isKnown(ctx, 1) && size(ctx, 1) <= FEW;
  if (isFew) return;
  throw tooLarge(showNode(ctx.node), `it may divide ${smallest} by -1, with a quotient of ${-smallest}`, dtype);
}

const size = (ctx: InferContext, i: number): number => volume(inputType(ctx, i).shape as readonly number[]);

const isKnown = (ctx: InferContext, i: number): boolean =>
  ctx.inputs[i]?.value !== undefined || ctx.constant(i) !== undefined;

/** Whether input i certainly has no such element. Lengths of named dimensions are never
 * negative. */
function lacks(ctx: InferContext, i: number, element: number): boolean {
  const value = ctx.inputs[i]?.value;
  if (value) return !value.includes(element);
  const constant = ctx.constant(i);
  return constant !== undefined && !toNumbers(constant).includes(element);
}
