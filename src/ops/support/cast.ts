/** @file Conversion of numbers between element types, as the Cast operators do it. Spec: ONNX Cast-13. */
import { type DType, isFloat, ONNX_CODE } from "../../core/dtype.js";
import { DynnError } from "../../core/errors.js";
import { attribute, showNode } from "../../graph/attributes.js";
import type { Node, ValueName } from "../../graph/graph.js";
import { inputType, type NdArray, type VjpContext } from "../../graph/op.js";
import { cast } from "./mask.js";
import { ndMap } from "./nd.js";

/** The dtype that an attribute names.
 * @throws DynnError 'model/dtype' for one that dynn has not (strings, complex numbers, 8-bit floats) */
export function targetOf(node: Node, name = "to"): DType {
  const to = attribute(node, name, "int");
  const found = (Object.keys(ONNX_CODE) as DType[]).find((dtype) => ONNX_CODE[dtype] === to);
  if (found) return found;
  throw new DynnError(
    "model/dtype",
    `${showNode(node)}: attribute "${name}" is ${to}, expected a number or boolean type of TensorProto.DataType. Export the model with float32 values.`,
    { node: node.name, [name]: to },
  );
}

/** Towards a boolean: what is not zero is true. Towards an integer: the fraction is dropped. Rounding to a smaller
 *  float is left to whoever stores the result. */
export const castNumbers = (x: NdArray, to: DType): NdArray =>
  to === "bool" ? ndMap(x, (v) => Number(v !== 0)) : isFloat(to) ? x : ndMap(x, Math.trunc);

/** The gradient in the type of the input. */
export function castVjp(ctx: VjpContext): readonly (ValueName | undefined)[] {
  const [dy, from] = [ctx.grads[0], inputType(ctx, 0).dtype];
  if (dy === undefined || !ctx.needs(0)) return [];
  return [from === ctx.outputs[0]?.dtype ? dy : cast(ctx.b, dy, from)];
}
