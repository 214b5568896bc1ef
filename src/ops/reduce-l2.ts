/** @file ReduceL2: Euclidean norm over axes. The gradient of a line of zeros is 0, as in torch.linalg.vector_norm.
 *  Spec: ONNX ReduceL2-18. */
import { like } from "./support/elementwise.js";
import { reduction } from "./support/reduction.js";

/** The smallest normal float32: below every norm but that of zeros. */
const TINY = 2 ** -126;

// dx = dy * x / y
export const ReduceL2 = reduction(
  "ReduceL2",
  (line) => Math.sqrt(line.reduce((sum, x) => sum + x * x, 0)),
  (g) => g.b.op("Mul", [g.x, g.b.op("Div", [g.dy, g.b.op("Max", [g.keep(g.y), like(g, TINY)])])], {}, "grad"),
);
