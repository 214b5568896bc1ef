/** @file Round: the nearest integer, halves to the even one. Its gradient is zero everywhere, as in PyTorch.
 *  Spec: ONNX Round-11. */
import { unary } from "./support/elementwise.js";

const roundHalfEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

export const Round = unary("Round", roundHalfEven, () => undefined);
