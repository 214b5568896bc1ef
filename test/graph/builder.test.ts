import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";

const empty = () => new GraphBuilder(emptyGraph("g", 17));
const f32 = (...values: number[]) => fromNumbers("float32", [values.length], values);

describe("names", () => {
  test("a hint that is free is the name; later ones get a number", () => {
    const b = empty();
    expect([b.fresh("x"), b.fresh("x"), b.fresh("x"), b.fresh("y")]).toEqual(["x", "x_1", "x_2", "y"]);
  });

  test("names of the graph that it starts from are taken: inputs, initializers, values and nodes", () => {
    const first = empty();
    const x = first.input("x", "float32", [2]);
    first.constant(f32(1), "w");
    first.append({ opType: "Relu", domain: "", name: "node", inputs: [x], outputs: ["y"], attributes: {} });
    const b = new GraphBuilder(first.build());
    expect(["x", "w", "y", "node"].map((hint) => b.fresh(hint))).toEqual(["x_1", "w_1", "y_1", "node_1"]);
  });

  test("a number that is already part of a name is passed over", () => {
    const b = empty();
    b.fresh("x_1");
    expect([b.fresh("x"), b.fresh("x")]).toEqual(["x", "x_2"]);
  });

  test("a node's output is called after its operator unless a hint is given", () => {
    const b = empty();
    const x = b.input("x", "float32", [2]);
    expect(b.op("Relu", [x])).toBe("relu");
    expect(b.op("Relu", [x], {}, "y")).toBe("y");
    expect(b.ops("Split", [x], 2)).toEqual(["split", "split_1"]);
  });
});

describe("constants", () => {
  test("equal ones are stored once, whatever the hint", () => {
    const b = empty();
    expect(b.constant(f32(1, 2), "a")).toBe(b.constant(f32(1, 2), "b"));
    expect(b.build().initializers.size).toBe(1);
  });

  test("another dtype, shape or value is another constant; so are 0 and -0", () => {
    const b = empty();
    const names = [
      b.constant(f32(1, 2)),
      b.constant(fromNumbers("float64", [2], [1, 2])),
      b.constant(fromNumbers("float32", [1, 2], [1, 2])),
      b.constant(f32(1, 3)),
      b.scalar(0),
      b.scalar(-0),
      b.ints([1, 2]),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test("NaN is shared as well", () => {
    const b = empty();
    expect(b.scalar(Number.NaN)).toBe(b.scalar(Number.NaN));
  });

  test("large ones are not compared", () => {
    const b = empty();
    const large = fromNumbers("float32", [65], new Float64Array(65));
    expect(b.constant(large)).not.toBe(b.constant(large));
  });
});

test("inputs left out at the end are dropped, those in between stay empty", () => {
  const b = empty();
  const x = b.input("x", "float32", [2]);
  b.op("Clip", [x, "", ""]);
  b.op("Clip", [x, "", x]);
  expect(b.build().nodes.map((node) => node.inputs)).toEqual([["x"], ["x", "", "x"]]);
});

test("a built graph does not change when the builder goes on", () => {
  const b = empty();
  const x = b.input("x", "float32", [2]);
  b.output(b.op("Relu", [x]), "float32", [2]);
  const graph = b.build();
  const before = structuredClone(graph);
  b.output(b.op("Add", [x, b.scalar(1)]), "float32", [2]);
  b.input("z", "float32", [2]);
  b.setType("relu", { dtype: "float32", shape: [2] });
  expect(graph).toEqual(before);
  b.clearOutputs();
  expect([b.build().outputs, b.build().inputs.length]).toEqual([[], 2]);
});
