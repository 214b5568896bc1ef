import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { GRAPH_LIMITS, volume } from "../../src/graph/limits.js";
import { emptyGraph } from "../../src/graph/op.js";
import { foldAffine } from "../../src/graph/passes/fold-affine.js";
import { foldConstants } from "../../src/graph/passes/fold-constants.js";
import { opTable } from "../../src/ops/table.js";

const builder = () => new GraphBuilder(emptyGraph("limits", 17));
const filled = (value: number, ...dims: number[]) =>
  fromNumbers("float32", dims, new Float64Array(volume(dims)).fill(value));

describe("limits of a graph", () => {
  test("a length of 0 does not hide the others", () => {
    expect(volume([0, 2 ** 20, 2 ** 20])).toBe(2 ** 40);
    expect(volume([])).toBe(1);
  });

  test("a name made of names stays short, and its elements are forgotten", () => {
    const b = builder();
    let at = b.op("Shape", [b.input("x", "float32", ["n", "m"])]);
    for (let i = 0; i < 40; i++) at = b.op("Mul", [at, at]);
    b.output(at, "int64", undefined);
    const { types } = inferShapes(b.build(), opTable);
    const names = [...types.values()].flatMap(({ value = [] }) => value.map(String));
    expect(names).toContain("n*n*n*n");
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(GRAPH_LIMITS.dimName);
    expect(types.get(at)).toEqual({ dtype: "int64", shape: [2] });
  });

  test("a dimension may bear the name of an object's own property", () => {
    const b = builder();
    b.output(b.op("Relu", [b.input("x", "float32", ["constructor", "__proto__"])]), "float32", undefined);
    expect(inferShapes(b.build(), opTable, { n: 1 }).outputs[0]?.shape).toEqual(["constructor", "__proto__"]);
  });

  test("constants are folded until the steps are used up; the rest stays nodes", () => {
    const b = builder();
    let at = b.constant(filled(1, 1024, 1024));
    for (let i = 0; i < 60; i++) at = b.op("Neg", [at]);
    b.output(b.op("Add", [b.input("x", "float32", ["n", 1024]), b.op("ReduceSum", [at])]), "float32", undefined);
    const { nodes } = foldConstants(b.build(), opTable);
    expect(nodes.length).toBeGreaterThan(20);
    expect(nodes.length).toBeLessThan(62);
  });
});

test("folding a map into a convolution leaves alone what already has the name of its new weights", () => {
  const b = builder();
  const x = b.input("x", "float32", ["n", 1, 2, 2]);
  b.parameter("y/folded1", filled(7, 1, 1, 1, 1));
  const conv = b.op("Conv", [x, b.parameter("w", filled(2, 1, 1, 1, 1))]);
  b.append({
    opType: "Mul",
    domain: "",
    name: "",
    inputs: [conv, b.constant(filled(3, 1, 1, 1))],
    outputs: ["y"],
    attributes: {},
  });
  b.output(b.op("Max", ["y", "y/folded1"]), "float32", undefined);
  const { nodes, initializers } = foldAffine(b.build(), opTable);
  expect(nodes.map((node) => node.opType)).toEqual(["Conv", "Max"]);
  expect(initializers.get("y/folded1")?.data).toEqual(Float32Array.of(7));
  expect(initializers.get(nodes[0]?.inputs[1])?.data).toEqual(Float32Array.of(6));
});
