/** @file CumSum: running sums along an axis, forwards or backwards, with or without the element itself.
 *  Its gradient is the running sum in the other direction. Spec: ONNX CumSum-14. */
import { attribute, int } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { axesIn } from "../support/known.js";
import { aroundAxis, given, ndZeros } from "../support/nd.js";

const flag = (node: Node, name: string): boolean => attribute(node, name, "int") === 1;

function cumulate(node: Node, x: NdArray, axis: number): NdArray {
  const y = ndZeros(x.dims);
  const { outer, length, inner } = aroundAxis(x.dims, axis);
  const [exclusive, reverse] = [flag(node, "exclusive"), flag(node, "reverse")];
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        const at = (o * length + (reverse ? length - 1 - k : k)) * inner + i;
        const next = sum + x.data[at];
        y.data[at] = exclusive ? sum : next;
        sum = next;
      }
    }
  return y;
}

export const CumSum: OpDef = {
  type: "CumSum",
  takes: ["T", "index"],
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: ({ b, node, grads: [dy] }) => {
    const turned = { exclusive: int(flag(node, "exclusive") ? 1 : 0), reverse: int(flag(node, "reverse") ? 0 : 1) };
    return dy === undefined ? [] : [b.op("CumSum", [dy, node.inputs[1]], turned, "grad")];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    return [cumulate(node, x, axesIn(node, [...given(inputs, 1).data], x.dims.length)[0])];
  },
};
