/** @file A graph with every float32 constant, input and output turned to float64, for finite differences on the reference. */
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import type { Graph, ValueInfo } from "../../src/graph/graph.js";

const wide = <T extends Pick<ValueInfo, "dtype">>(value: T): T =>
  value.dtype === "float32" ? { ...value, dtype: "float64" } : value;

/** Types in between are dropped: inference finds them again. */
export const inFloat64 = (graph: Graph): Graph => ({
  ...graph,
  inputs: graph.inputs.map(wide),
  outputs: graph.outputs.map(wide),
  initializers: new Map(
    [...graph.initializers].map(([name, t]) => [
      name,
      t.dtype === "float32" ? fromNumbers("float64", t.dims, toNumbers(t)) : t,
    ]),
  ),
  types: new Map(),
});
