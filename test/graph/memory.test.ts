import { describe, expect, test } from "vitest";
import type { Dim } from "../../src/core/shape.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { memoryOf } from "../../src/graph/memory.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";

/** A graph from x [n,10] whose nodes `body` appends. It names the outputs. */
function graphOf(body: (b: GraphBuilder, x: string) => readonly string[], shape: readonly Dim[] = ["n", 10]): Graph {
  const b = new GraphBuilder(emptyGraph("made", 17));
  for (const name of body(b, b.input("x", "float32", shape))) b.output(name, "float32", undefined);
  return b.build();
}
const bytes = (graph: Graph, samples: number): number | undefined => memoryOf(graph, opTable)?.(samples);
const chain = (length: number) =>
  graphOf((b, x) => [Array.from({ length }).reduce<string>((value) => b.op("Relu", [value]), x)]);

describe("the memory of a run", () => {
  test.each([
    ["one operator: input and output", 1, 2],
    ["two: input, one between, output", 2, 3],
    ["a chain of ten holds two values at a time beside the input", 10, 3],
  ])("%s", (_, length, values) => {
    for (const n of [1, 2, 7, 64]) expect(bytes(chain(length), n)).toBe(values * 40 * n);
  });

  test("counts a value until its last reader", () => {
    // At the last Add: x, a and the result. At the third Relu: x, a, and two values of the chain.
    const held = graphOf((b, x) => {
      const a = b.op("Relu", [x]);
      const last = b.op("Relu", [b.op("Relu", [b.op("Relu", [a])])]);
      return [b.op("Add", [a, last])];
    });
    expect(bytes(held, 3)).toBe(4 * 40 * 3);
  });

  test("counts the values and weights of the larger sub-graph, with packed rows as whole batches", () => {
    const branch = (relus: number, weights: number): Graph => {
      const b = new GraphBuilder(emptyGraph("branch", 17));
      const w = b.constant(fromNumbers("float32", [weights], new Array(weights).fill(1)));
      let last = "x";
      for (let i = 0; i < relus; i++) last = b.op("Add", [last, w]);
      for (const { outputs } of b.build().nodes) b.setType(outputs[0], { dtype: "float32", shape: ["open0", 10] });
      b.output(last, "float32", ["open0", 10]);
      return b.build();
    };
    const routed = graphOf((b) => {
      const attribute = (value: Graph) => ({ kind: "graph", value }) as const;
      const branches = { then_branch: attribute(branch(3, 10)), else_branch: attribute(branch(1, 1)) };
      const y = b.op("If", [b.constant(fromNumbers("bool", [1], [1]))], branches);
      b.setType(y, { dtype: "float32", shape: ["n", 10] });
      return [y];
    });
    // Input, output and two values of the longer branch. The weights of both branches and the condition.
    for (const n of [1, 5]) expect(bytes(routed, n)).toBe(4 * 40 * n + 4 * 11 + 1);
  });

  test("counts weights once, and outputs to the end", () => {
    const weighted = graphOf((b, x) => {
      const w = b.parameter("w", fromNumbers("float32", [10, 1000], new Float32Array(10_000)));
      const wide = b.op("MatMul", [x, w]);
      return [b.op("Relu", [wide]), wide];
    });
    for (const n of [1, 5]) expect(bytes(weighted, n)).toBe(40_000 + n * (40 + 2 * 4000));
  });

  test("follows the node that needs most at each number of samples", () => {
    // Node 1 holds 4 kB whatever the batch, node 2 holds 0.4 kB a sample.
    const two = graphOf((b, x) => {
      const fixed = b.input("fixed", "float32", [100]);
      const large = b.op("Expand", [fixed, b.ints([10, 100])]);
      const one = b.op("ReduceMax", [large], { keepdims: { kind: "int", value: 0 } });
      const wide = b.op("Concat", Array<string>(10).fill(b.op("Add", [x, one])), { axis: { kind: "int", value: 1 } });
      return [b.op("ReduceMax", [wide], { axes: ints([1]) })];
    });
    const inputs = (n: number) => 40 * n + 400 + 2 * 8; // The shape of Expand is a constant.
    for (const n of [1, 2, 5, 9, 64])
      expect(bytes(two, n)).toBe(inputs(n) + Math.max(4000 + 4, 40 * n + 4, 440 * n, 404 * n));
  });

  test("counts a batch that the file fixes whole", () => {
    const fixed = graphOf((b, x) => [b.op("Relu", [x])], [8, 10]);
    for (const n of [1, 64]) expect(bytes(fixed, n)).toBe(2 * 8 * 40);
  });

  test("is not known for images of an open size", () => {
    const open = graphOf((b, x) => [b.op("Relu", [x])], ["n", 3, "h", "w"]);
    expect(memoryOf(open, opTable)).toBeUndefined();
  });
});
