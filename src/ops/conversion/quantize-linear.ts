/** @file QuantizeLinear: x / scale rounded (halves to even), plus the zero point, kept within the integer type. It is flat between
 *  its steps, so it has no gradient. Spec: ONNX QuantizeLinear-21. */
import { byteSize, type DType } from "../../core/dtype.js";
import { DynnError } from "../../core/errors.js";
import { showNode } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { INTEGER } from "../support/bits.js";
import { targetOf } from "../support/cast.js";
import { given } from "../support/nd.js";
import { scaleIndex } from "../support/quantize.js";
import { roundHalfEven } from "../support/scalar.js";

const TYPES: readonly (DType | undefined)[] = ["uint8", "int8", "uint16", "int16"];

/** The integer type of the result: that of the zero point, or the one that output_dtype names, or uint8. */
function resultType(node: Node, zero: DType | undefined): DType {
  const found = zero ?? (node.attributes.output_dtype ? targetOf(node, "output_dtype") : "uint8");
  if (TYPES.includes(found)) return found;
  throw new DynnError(
    "model/dtype",
    `${showNode(node)}: it makes ${found}, expected ${TYPES.join(", ")}. Export the model with one of those.`,
    { node: node.name, dtype: found },
  );
}

export const QuantizeLinear: OpDef = {
  type: "QuantizeLinear",
  takes: ["any"],
  limit: "4-bit integers and 8-bit floats are refused",
  infer: (ctx) => [{ dtype: resultType(ctx.node, ctx.inputs[2]?.dtype), shape: inputType(ctx, 0).shape }],
  vjp: INTEGER,
  run: (inputs, { node, inputTypes }) => {
    const [x, scale, zero] = [given(inputs, 0), given(inputs, 1), inputs[2]];
    const [at, dtype] = [scaleIndex(node, x, scale), resultType(node, inputTypes[2])];
    const steps = 2 ** (8 * byteSize(dtype));
    const low = dtype.startsWith("u") ? 0 : -steps / 2;
    // Halves decide here, so the quotient is what x's type makes of it.
    const narrow = inputTypes[0] === "float32" ? Math.fround : (v: number) => v;
    const quantized = (v: number, k: number): number =>
      Math.max(low, Math.min(low + steps - 1, roundHalfEven(narrow(v / scale.data[k])) + (zero?.data[k] ?? 0)));
    return [{ dims: x.dims, data: x.data.map((v, i) => quantized(v, at(i))) }];
  },
};
