/** @file GlobalLpPool: the norm of order p over all positions. Spec: ONNX GlobalLpPool-2. */
import type { OpDef } from "../../graph/op.js";
import { globalPool } from "../support/global-pool.js";
import { innerSlope, normOf, orderOf, outerSlope } from "../support/power.js";

export const GlobalLpPool: OpDef = {
  type: "GlobalLpPool",
  infer: (ctx) => globalPool(() => 0).infer(ctx),
  run: (inputs, ctx) => globalPool((positions) => normOf(positions, orderOf(ctx.node))).run(inputs, ctx),
  vjp: (ctx) => {
    const [dy, { b, node }] = [ctx.grads[0], ctx];
    if (dy === undefined) return [];
    const p = orderOf(node);
    return [b.op("Mul", [innerSlope(ctx, node.inputs[0], p), outerSlope(ctx, node.outputs[0], dy, p)], {}, "grad")];
  },
};
