/** @file ReduceMean: mean over axes. Spec: ONNX ReduceMean-18. */
import type { ValueName } from "../../graph/graph.js";
import { inputType } from "../../graph/op.js";
import { like } from "../support/elementwise.js";
import { countOver, reduce, shapeOf } from "../support/emit.js";
import { cast } from "../support/mask.js";
import { type ReductionGradient, reduction, spread } from "../support/reduction.js";

/** 1 / number of elements in a line, computed from the shape when that has unknowns. */
function weightOf(g: ReductionGradient): ValueName {
  const { b, x, axes } = g;
  const { shape, dtype } = inputType(g.ctx, 0);
  const count = countOver(shape, axes);
  if (count !== undefined) return like(g, 1 / count);
  const lengths = b.op("Gather", [shapeOf(b, x, shape), b.ints(axes)]);
  return b.op("Reciprocal", [cast(b, reduce(b, "ReduceProd", lengths, [0], false), dtype)]);
}

export const ReduceMean = reduction(
  "ReduceMean",
  (line) => line.reduce((a, b) => a + b, 0) / line.length,
  (g) => (g.axes.length === 0 ? g.dy : spread(g, g.b.op("Mul", [g.dy, weightOf(g)]))),
);
