/** @file QuantizeLinear: x / scale, rounded with halves to even, plus the zero point, limited to
 *  the integer type. Gradients pass straight through the rounding and are zero where x is
 *  clipped (Bengio et al. 2013, section 4; Jacob et al. 2018, section 3). Spec: ONNX
 *  QuantizeLinear-21. */
import type { DType } from "../../core/dtype.js";
import { DynnError } from "../../core/errors.js";
import { fromNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type OpDef, type VjpContext } from "../../graph/op.js";
import { targetOf } from "../support/cast.js";
import { reshapeTo } from "../support/emit.js";
import { noGradient } from "../support/known.js";
import { cast, mask } from "../support/mask.js";
import { given } from "../support/nd.js";
import { rangeOf, scaleIndex, scaleShape, toStep } from "../support/quantize.js";

const TYPES: readonly (DType | undefined)[] = ["uint8", "int8", "uint16", "int16"];

/** The integer type of the result: the type of the zero point, else the type that output_dtype
 * names, else uint8. */
function resultType(node: Node, zero: DType | undefined): DType {
  const found = zero ?? (node.attributes.output_dtype ? targetOf(node, "output_dtype") : "uint8");
  if (TYPES.includes(found)) return found;
  throw new DynnError(
    "model/dtype",
    `${showNode(node)}: its output type is ${found}, expected ${TYPES.join(", ")}. Export the model with one of those.`,
    { node: node.name, dtype: found },
  );
}

/** The scales of x in a shape that broadcasts against x.
 * @throws DynnError 'gradient/none' for scales per block */
export function broadcastScales(ctx: VjpContext, i: number): ValueName {
  const [x, scale] = [inputType(ctx, 0), inputType(ctx, 1)];
  const shape = scaleShape(ctx.node, x.shape, scale.shape);
  if (!shape) throw noGradient(ctx.node, "it has one scale per block. Quantize the model per tensor or per channel");
  return reshapeTo(ctx.b, ctx.node.inputs[i], shape);
}

/** Where x is not clipped. A number that rounds to an end of the range is not clipped, as in
 * PyTorch's fake_quantize. */
function inside(ctx: VjpContext, steps: ValueName): ValueName {
  const { b, node } = ctx;
  const { dtype } = inputType(ctx, 0);
  const [low, high] = rangeOf(resultType(node, ctx.inputs[2]?.dtype));
  const rounded = b.op("Round", [steps]);
  const zero = node.inputs[2] ? cast(b, broadcastScales(ctx, 2), dtype) : undefined;
  const at = zero ? b.op("Add", [rounded, zero]) : rounded;
  const bound = (v: number) => b.constant(fromNumbers(dtype, [], [v]));
  return b.op("Equal", [at, b.op("Clip", [at, bound(low), bound(high)])]);
}

export const QuantizeLinear: OpDef = {
  type: "QuantizeLinear",
  takes: ["any"],
  limit: "4-bit integers and 8-bit floats are refused. Scales per block have no gradient",
  infer: (ctx) => [{ dtype: resultType(ctx.node, ctx.inputs[2]?.dtype), shape: inputType(ctx, 0).shape }],
  straightThrough: true,
  vjp: (ctx) => {
    const dy = ctx.grads[0];
    if (dy === undefined || !ctx.needs(0)) return [];
    const { b, node } = ctx;
    const scale = broadcastScales(ctx, 1);
    const passed = mask(b, inside(ctx, b.op("Div", [node.inputs[0], scale])), dy, inputType(ctx, 0).dtype);
    return [b.op("Div", [passed, scale])];
  },
  run: (inputs, { node, inputTypes }) => {
    const [x, scale, zero] = [given(inputs, 0), given(inputs, 1), inputs[2]];
    const at = scaleIndex(node, x, scale);
    const range = rangeOf(resultType(node, inputTypes[2]));
    // The quotient is rounded to the type of x, because halves decide here.
    const narrow = inputTypes[0] === "float32" ? Math.fround : (v: number) => v;
    const quantized = (v: number, k: number): number => toStep(narrow(v / scale.data[k]), zero?.data[k] ?? 0, range);
    return [{ dims: x.dims, data: x.data.map((v, i) => quantized(v, at(i))) }];
  },
};
