/** @file Mod: remainder, with the sign of the divisor, or of the dividend when fmod = 1 (the only form for floats).
 *  Spec: ONNX Mod-13. */
import { attribute } from "../../graph/attributes.js";
import type { OpDef } from "../../graph/op.js";
import { checkDivision } from "../support/division.js";
import { binary } from "../support/elementwise.js";

const remainder = binary(
  "Mod",
  (x, w, node) => {
    const rest = x % w;
    return attribute(node, "fmod", "int") === 1 || rest === 0 || rest < 0 === w < 0 ? rest : rest + w;
  },
  [
    ({ dy }) => dy,
    // dw = -dy * trunc(x / w), and trunc(x / w) = (x - y) / w
    ({ b, x, w, y, dy }) => b.op("Mul", [dy, b.op("Div", [b.op("Sub", [y, x]), w])], {}, "grad"),
  ],
);

export const Mod: OpDef = {
  ...remainder,
  infer: (ctx) => {
    checkDivision(ctx);
    return remainder.infer(ctx);
  },
};
