/** @file Mish: x * tanh(softplus(x)). Spec: ONNX Mish-18; Misra 2019. */
import { like, unary } from "../support/elementwise.js";
import { softplus } from "../support/scalar.js";

// dx = dy * (t + x * sigmoid(x) * (1 - t^2)), with t = tanh(softplus(x))
export const Mish = unary(
  "Mish",
  (x) => x * Math.tanh(softplus(x)),
  (g) => {
    const { b, x, dy } = g;
    const t = b.op("Tanh", [b.op("Softplus", [x])]);
    const flat = b.op("Sub", [like(g, 1), b.op("Mul", [t, t])]);
    const rise = b.op("Mul", [b.op("Mul", [x, b.op("Sigmoid", [x])]), flat]);
    return b.op("Mul", [dy, b.op("Add", [t, rise])], {}, "grad");
  },
);
