/** @file HardSwish: x * HardSigmoid(x; 1/6, 1/2). At -3 and 3 the middle piece counts, as in PyTorch: gradient
 *  -1/2 and 3/2. Spec: ONNX HardSwish-14; Howard et al. 2019 (MobileNetV3). */
import { float } from "../../graph/attributes.js";
import { inputType } from "../../graph/op.js";
import { like, unary } from "../support/elementwise.js";
import { mask } from "../support/mask.js";

// dx = dy * (gate(x) + x/6 where |x| <= 3)
export const HardSwish = unary(
  "HardSwish",
  (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  (g) => {
    const { b, x, dy } = g;
    const gate = b.op("HardSigmoid", [x], { alpha: float(1 / 6), beta: float(0.5) });
    const bent = b.op("LessOrEqual", [b.op("Abs", [x]), like(g, 3)]);
    const tilt = mask(b, bent, b.op("Mul", [x, like(g, 1 / 6)]), inputType(g.ctx, 0).dtype);
    return b.op("Mul", [dy, b.op("Add", [gate, tilt])], {}, "grad");
  },
);
