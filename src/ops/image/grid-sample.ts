/** @file GridSample: an image read at points, by the nearest pixel or between four. Cubic reading and volumes are refused.
 *  Spec: ONNX GridSample-20. */
import { sizeOf } from "../../core/shape.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type NdArray, type OpDef } from "../../graph/op.js";
import { checkGrid, padIndex, pixelMap, samplingOf } from "../support/grid.js";
import { gridGradients } from "../support/grid-gradient.js";
import { given, ndZeros } from "../support/nd.js";
import { roundHalfEven } from "../support/scalar.js";

/** The one or two pixels around a position along an axis, with their weights; -1 stands for a zero. */
type Taps = readonly (readonly [index: number, weight: number])[];

function tapsAlong(node: Node, length: number): (g: number) => Taps {
  const sampling = samplingOf(node);
  const { slope, shift } = pixelMap(length, sampling.align);
  return (g) => {
    const at = slope * g + shift;
    if (sampling.mode === "nearest") return [[padIndex(roundHalfEven(at), length, sampling), 1]];
    const low = Math.floor(at);
    return [
      [padIndex(low, length, sampling), 1 - (at - low)],
      [padIndex(low + 1, length, sampling), at - low],
    ];
  };
}

function sample(node: Node, x: NdArray, grid: NdArray): NdArray {
  checkGrid(node, x.dims, grid.dims);
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const [rows, columns] = [tapsAlong(node, h), tapsAlong(node, w)];
  const y = ndZeros([n, c, grid.dims[1], grid.dims[2]]);
  const points = sizeOf(grid.dims.slice(1, 3));
  for (let image = 0; image < n; image++)
    for (let p = 0; p < points; p++) {
      const at = 2 * (image * points + p);
      for (const [row, down] of rows(grid.data[at + 1]))
        for (const [column, across] of columns(grid.data[at])) {
          if (row < 0 || column < 0) continue;
          for (let k = 0; k < c; k++) {
            const plane = image * c + k;
            y.data[plane * points + p] += down * across * x.data[(plane * h + row) * w + column];
          }
        }
    }
  return y;
}

export const GridSample: OpDef = {
  type: "GridSample",
  takes: ["T", "float"],
  limit: "cubic reading and volumes are refused; padding_mode reflection has no gradient",
  infer: (ctx) => {
    const [{ dtype, shape }, grid] = [inputType(ctx, 0), inputType(ctx, 1).shape];
    samplingOf(ctx.node);
    checkGrid(ctx.node, shape, grid);
    return [{ dtype, shape: [shape[0], shape[1], grid[1], grid[2]] }];
  },
  vjp: (ctx) => (ctx.grads[0] === undefined ? [] : gridGradients(ctx, ctx.grads[0])),
  run: (inputs, { node }) => [sample(node, given(inputs, 0), given(inputs, 1))],
};
