/** @file Trilu: the upper or lower triangle of each matrix, zeros elsewhere. Its gradient is the same triangle of dY.
 *  Spec: ONNX Trilu-14. */
import { attribute, int } from "../../graph/attributes.js";
import { inputType, type OpDef } from "../../graph/op.js";
import { given } from "../support/nd.js";

export const Trilu: OpDef = {
  type: "Trilu",
  takes: ["T", "index"],
  infer: (ctx) => [{ dtype: inputType(ctx, 0).dtype, shape: inputType(ctx, 0).shape }],
  vjp: ({ b, node, grads: [dy] }) => {
    const upper = int(attribute(node, "upper", "int") ?? 1);
    return dy === undefined ? [] : [b.op("Trilu", [dy, ...node.inputs.slice(1)], { upper }, "grad")];
  },
  run: (inputs, { node }) => {
    const x = given(inputs, 0);
    const [rows, columns] = x.dims.slice(-2) as [number, number];
    const [k, upper] = [inputs[1]?.data[0] ?? 0, (attribute(node, "upper", "int") ?? 1) === 1];
    const keeps = (at: number) => {
      const diagonal = (at % columns) - (Math.floor(at / columns) % rows);
      return upper ? diagonal >= k : diagonal <= k;
    };
    return [{ dims: x.dims, data: x.data.map((v, at) => (keeps(at) ? v : 0)) }];
  },
};
