/** @file PRelu: x above 0, slope * x below; the slope broadcasts to x. At 0 the gradient is the slope, as in PyTorch.
 *  Spec: ONNX PRelu-16. */
import { binary, like } from "../support/elementwise.js";

export const PRelu = binary("PRelu", (x, slope) => (x < 0 ? slope * x : x), [
  (g) => {
    const positive = g.b.op("Greater", [g.x, like(g, 0)]);
    return g.b.op("Where", [positive, g.dy, g.b.op("Mul", [g.dy, g.w])], {}, "grad");
  },
  (g) => g.b.op("Mul", [g.dy, g.b.op("Min", [g.x, like(g, 0)])], {}, "grad"),
]);
