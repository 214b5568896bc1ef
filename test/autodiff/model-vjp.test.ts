import { describe, expect, test } from "vitest";
import { modelVjp } from "../../src/autodiff/model-vjp.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";

const f64 = (dims: readonly number[], ...values: readonly number[]): Tensor<"float64"> =>
  fromNumbers("float64", dims, values);

/** y = x W, z = x * s, and the length of the batch. */
function twoInputs(): Graph {
  const b = new GraphBuilder(emptyGraph("net", 17));
  const x = b.input("x", "float64", ["n", 2]);
  const s = b.input("s", "float64", ["n", 2]);
  b.output(b.op("MatMul", [x, b.constant(f64([2, 3], 1, 2, 3, 4, 5, 6), "w")], {}, "y"), "float64", undefined);
  b.output(b.op("Mul", [x, s], {}, "z"), "float64", undefined);
  b.output(b.op("Shape", [x], {}, "size"), "int64", undefined);
  return b.build();
}

const x = f64([2, 2], 1, 2, 3, 4);
const s = f64([2, 2], 5, 6, 7, 8);
const y = f64([2, 3], 1, 0, 0, 0, 1, 10);
const z = f64([2, 2], 1, -1, 2, 0);
const run = (graph: Graph, feeds: Record<string, Tensor>) => {
  checkGraph(graph, opTable);
  const results = runReference(graph, feeds);
  return (name: string): number[] => [...toNumbers(results[name])];
};

describe("vector-Jacobian products", () => {
  test("of all outputs for all inputs: v W' + u s, and u x", () => {
    const { graph, cotangents, products } = modelVjp(twoInputs(), opTable);
    expect([...cotangents]).toEqual([
      ["y", "cotangent_y"],
      ["z", "cotangent_z"],
    ]);
    const of = run(graph, { x, s, cotangent_y: y, cotangent_z: z });
    expect(of(products.get("x") as string)).toEqual([1 + 5, 4 - 6, 2 + 30 + 14, 5 + 60]);
    expect(of(products.get("s") as string)).toEqual([1, -2, 6, 0]);
    expect(of("y")).toEqual([9, 12, 15, 19, 26, 33]);
    expect(of("size")).toEqual([2, 2]);
  });

  test("of one output for one input takes one cotangent and gives one product", () => {
    const { graph } = modelVjp(twoInputs(), opTable, { outputs: ["y"], wrt: ["x"] });
    expect(graph.inputs.map((i) => i.name)).toEqual(["x", "s", "cotangent_y"]);
    expect(run(graph, { x, s, cotangent_y: y })("product_x")).toEqual([1, 4, 2 + 30, 5 + 60]);
  });

  test("rows of the Jacobian come from unit cotangents", () => {
    const { graph } = modelVjp(twoInputs(), opTable, { outputs: ["y"], wrt: ["x"] });
    const rows = [0, 1, 2].map((k) => {
      const unit = f64([1, 3], ...[0, 1, 2].map((i) => Number(i === k)));
      return run(graph, { x: f64([1, 2], 1, 2), s: f64([1, 2], 0, 0), cotangent_y: unit })("product_x");
    });
    expect(rows).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
  });

  test.each([
    [
      { outputs: ["size"] },
      "model/classifier",
      "net: output size of float type is not there, the model has y, z. Name one of those.",
    ],
    [{ wrt: ["t"] }, "model/input", "net: input t of float type is not there, the model has x, s. Name one of those."],
    [
      { outputs: ["y"], wrt: ["s"] },
      "gradient/none",
      'net: none of the chosen outputs depends on "s". Choose another input, or more outputs.',
    ],
  ] as const)("%j is refused", (options, code, text) => {
    expect(() => modelVjp(twoInputs(), opTable, options)).toThrow(failure(code, text));
  });
});
