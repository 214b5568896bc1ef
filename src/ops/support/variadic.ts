/** @file Builder of elementwise operators with any number of inputs that broadcast to each other
 *  (Max, Min, Sum, Mean). */
import { broadcastShapes, type Shape } from "../../core/shape.js";
import { showNode } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { unbroadcast } from "./emit.js";
import { cast } from "./mask.js";
import { given, ndBroadcast } from "./nd.js";

/** An operator y = f(x0, x1, ...). `gradient` returns the rule of one node, which gives the
 * gradient of input i in the broadcast shape. */
export const variadic = (
  type: string,
  f: (...values: number[]) => number,
  gradient: (ctx: VjpContext, dy: ValueName) => (i: number) => ValueName,
): OpDef => ({
  type,
  infer: (ctx) => {
    const { dtype, shape: first } = inputType(ctx, 0);
    const shapes = ctx.inputs.map((_, i) => inputType(ctx, i).shape);
    return [{ dtype, shape: shapes.reduce((a, b): Shape => broadcastShapes(a, b, showNode(ctx.node)), first) }];
  },
  vjp: (ctx) => {
    const [dy, out] = [ctx.grads[0], ctx.outputs[0]];
    if (dy === undefined || !out) return [];
    const rule = gradient(ctx, dy);
    return ctx.inputs.map((_, i) =>
      ctx.needs(i) ? unbroadcast(ctx.b, rule(i), out.shape, inputType(ctx, i).shape) : undefined,
    );
  },
  run: (inputs, { node }) => [
    ndBroadcast(
      inputs.map((_, i) => given(inputs, i)),
      f,
      showNode(node),
    ),
  ],
});

/** The gradient of an extremum of inputs. Inputs that equal the extremum share it evenly: two
 * inputs get half each, as in torch.maximum. */
export function shareAmongInputs(ctx: VjpContext, dy: ValueName): (i: number) => ValueName {
  const { b, node } = ctx;
  const reached = node.inputs.map((x) => cast(b, b.op("Equal", [x, node.outputs[0]]), inputType(ctx, 0).dtype));
  const share = reached.length === 1 ? dy : b.op("Div", [dy, b.op("Sum", reached)]);
  return (i) => b.op("Mul", [share, reached[i]], {}, "grad");
}
