/** @file Hardmax: 1 for the largest element of a line (the first of equals), 0 for the others. Before opset 13 a line runs over all
 *  axes from `axis` on. Spec: ONNX Hardmax-11, Hardmax-13. */
import { inputType, type OpDef } from "../../graph/op.js";
import { linesOver } from "../support/lines.js";
import { given, ndZeros } from "../support/nd.js";
import { distributionAxes } from "../support/softmax.js";

export const Hardmax: OpDef = {
  type: "Hardmax",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    distributionAxes(ctx.node, ctx.opset, shape.length);
    return [{ dtype, shape }];
  },
  vjp: { none: "its output is 0 or 1, whatever small change its input makes" },
  run: (inputs, { node, opset }) => {
    const x = given(inputs, 0);
    const { starts, steps } = linesOver(x.dims, distributionAxes(node, opset, x.dims.length));
    const y = ndZeros(x.dims);
    for (const start of starts) {
      if (steps.length === 0) continue;
      const top = steps.reduce((best, step) => (x.data[start + step] > x.data[start + best] ? step : best), steps[0]);
      y.data[start + top] = 1;
    }
    return [y];
  },
};
