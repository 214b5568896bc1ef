/** @file Sums of elements scattered along an axis, in the form of the graph's opset. */
import type { Dim } from "../../core/shape.js";
import { int, string } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import type { VjpContext } from "../../graph/op.js";
import { slice } from "./emit.js";
import { noGradient } from "./known.js";

/** Before opset 16 ScatterElements cannot add, so repeated indices are added one slice at a
 * time. More slices than this are refused. */
const UNROLL_LIMIT = 64;

export interface Scatter {
  readonly data: ValueName;
  readonly indices: ValueName;
  readonly updates: ValueName;
  readonly axis: number;
  /** Length of the indices along the axis. With one index per line no index can repeat. */
  readonly along: Dim;
}

/** `data` with the updates added at the indices. `data` must be zeros: before opset 16 each slice
 * starts from it.
 * @throws DynnError 'gradient/none' when the opset has no form for the sum */
export function scatterAdd(ctx: VjpContext, { data, indices, updates, axis, along }: Scatter): ValueName {
  const { b } = ctx;
  if (along === 1) return b.op("ScatterElements", [data, indices, updates], { axis: int(axis) }, "grad");
  if (b.opset >= 16)
    return b.op("ScatterElements", [data, indices, updates], { axis: int(axis), reduction: string("add") }, "grad");
  if (typeof along !== "number" || along > UNROLL_LIMIT)
    throw noGradient(
      ctx.node,
      `opset ${b.opset} cannot add up ${along} repeated indices. Export the model with opset 16 or later`,
    );
  const part = (x: ValueName, i: number) => slice(b, x, { starts: [i], ends: [i + 1], axes: [axis] });
  return Array.from({ length: along }, (_, i) =>
    b.op("ScatterElements", [data, part(indices, i), part(updates, i)], { axis: int(axis) }, "grad"),
  ).reduce((sum, term) => b.op("Add", [sum, term], {}, "grad"), data);
}
