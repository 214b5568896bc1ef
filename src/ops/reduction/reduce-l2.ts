/** @file ReduceL2: Euclidean norm over axes. The gradient of a line of zeros is 0, as in torch.linalg.vector_norm.
 *  Spec: ONNX ReduceL2-18. */
import { like } from "../support/elementwise.js";
import { reduction } from "../support/reduction.js";
import { TINY } from "../support/scalar.js";

// dx = dy * (x / y): the quotient first, which is at most 1, so that no gradient of zeros overflows
export const ReduceL2 = reduction(
  "ReduceL2",
  (line) => Math.sqrt(line.reduce((sum, x) => sum + x * x, 0)),
  (g) => g.b.op("Mul", [g.dy, g.b.op("Div", [g.x, g.b.op("Max", [g.keep(g.y), like(g, TINY)])])], {}, "grad"),
);
