/** @file Runs one operator on the reference backend, and draws inputs that keep clear of kinks. */
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import type { Attributes } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { random } from "./gradcheck.js";

export interface OneNode {
  readonly attributes?: Attributes;
  readonly opset?: number;
  readonly outputs?: number;
}

/** A graph of one node whose inputs are constants. */
export function constantNode(op: string, inputs: readonly (Tensor | null)[], options: OneNode = {}): Graph {
  const b = new GraphBuilder(emptyGraph(op, options.opset ?? 17));
  const names = inputs.map((t, i) => (t ? b.constant(t, `c${i}`) : ""));
  for (const name of b.ops(op, names, options.outputs ?? 1, options.attributes, "y"))
    b.output(name, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

/** The outputs of one operator. */
export const evaluate = (op: string, inputs: readonly (Tensor | null)[], options: OneNode = {}): readonly Tensor[] => {
  const graph = constantNode(op, inputs, options);
  const results = runReference(graph, {});
  return graph.outputs.map(({ name }) => results[name]);
};

/** The elements of output 0 of one operator. */
export const valuesOf = (op: string, inputs: readonly (Tensor | null)[], options: OneNode = {}): readonly number[] => [
  ...toNumbers(evaluate(op, inputs, options)[0]),
];

export const f64 = (...values: readonly number[]): Tensor<"float64"> => fromNumbers("float64", [values.length], values);
export const i64 = (...values: readonly number[]): Tensor<"int64"> => fromNumbers("int64", [values.length], values);
export const bools = (dims: readonly number[], ...values: readonly number[]): Tensor<"bool"> =>
  fromNumbers("bool", dims, values);

/** A seeded normal draw, stretched, in which no element lies within 0.05 of a kink. */
export function clearOf(kinks: readonly number[], dims: readonly number[], seed = 1, stretch = 2): Tensor<"float64"> {
  const moved = toNumbers(random(dims, seed)).map((v) => {
    const near = kinks.find((kink) => Math.abs(stretch * v - kink) < 0.05);
    return near === undefined ? stretch * v : near + (stretch * v < near ? -0.1 : 0.1);
  });
  return fromNumbers("float64", dims, moved);
}
