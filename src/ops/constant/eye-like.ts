/** @file EyeLike: ones on a diagonal, zeros elsewhere, in the shape of a matrix. Spec: ONNX EyeLike-9. */
import { attribute } from "../../graph/attributes.js";
import { inputType, mismatch, type OpDef } from "../../graph/op.js";
import { targetOf } from "../support/cast.js";
import { given, ndOf } from "../support/nd.js";

export const EyeLike: OpDef = {
  type: "EyeLike",
  infer: (ctx) => {
    const { dtype, shape } = inputType(ctx, 0);
    if (shape.length !== 2)
      throw mismatch(ctx.node, `its input has shape [${shape}], expected a matrix. Export the model again.`, { shape });
    return [{ dtype: ctx.node.attributes.dtype ? targetOf(ctx.node, "dtype") : dtype, shape }];
  },
  vjp: { none: "its output does not depend on numbers" },
  run: (inputs, { node }) => {
    const { dims } = given(inputs, 0);
    const [rows, columns] = dims as [number, number];
    const shift = attribute(node, "k", "int") ?? 0;
    return [
      ndOf(
        dims,
        Array.from({ length: rows * columns }, (_, i) => Number((i % columns) - Math.floor(i / columns) === shift)),
      ),
    ];
  },
};
