import { describe, expect, test } from "vitest";
import type { Dim } from "../../src/core/shape.js";
import { int } from "../../src/graph/attributes.js";
import type { Node, ValueType } from "../../src/graph/graph.js";
import type { InferContext } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { bools, evaluate, f64, valuesOf } from "../support/evaluate.js";
import { gradcheck, random } from "../support/gradcheck.js";

describe("comparisons and logic", () => {
  const [x, w] = [f64(1, 2, 3), f64(2, 2, 2)];
  const relations: readonly (readonly [string, readonly number[]])[] = [
    ["Equal", [0, 1, 0]],
    ["Greater", [0, 0, 1]],
    ["GreaterOrEqual", [0, 1, 1]],
    ["Less", [1, 0, 0]],
    ["LessOrEqual", [1, 1, 0]],
  ];
  test.each(relations)("%s gives booleans", (op, want) => {
    expect(evaluate(op, [x, w])[0]?.dtype).toBe("bool");
    expect(valuesOf(op, [x, w])).toEqual(want);
    expect(valuesOf(op, [x, f64(2)])).toEqual(want);
  });
  test.each(relations)("%s agrees with ONNX Runtime", async (op) => gradcheck({ op, inputs: [x, w] }));

  const [p, q] = [bools([4], 0, 0, 1, 1), bools([4], 0, 1, 0, 1)];
  const connectives: readonly (readonly [string, readonly number[]])[] = [
    ["And", [0, 0, 0, 1]],
    ["Or", [0, 1, 1, 1]],
    ["Xor", [0, 1, 1, 0]],
  ];
  test.each(connectives)("%s has its truth table", async (op, want) => {
    expect(valuesOf(op, [p, q])).toEqual(want);
    await gradcheck({ op, inputs: [p, q] });
  });
  test("Not turns a boolean around", () => expect(valuesOf("Not", [p])).toEqual([1, 1, 0, 0]));

  test("IsNaN and IsInf", () => {
    const odd = f64(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1);
    expect(valuesOf("IsNaN", [odd])).toEqual([1, 0, 0, 0]);
    expect(valuesOf("IsInf", [odd])).toEqual([0, 1, 1, 0]);
    expect(valuesOf("IsInf", [odd], { attributes: { detect_negative: int(0) } })).toEqual([0, 1, 0, 0]);
    expect(valuesOf("IsInf", [odd], { attributes: { detect_positive: int(0) } })).toEqual([0, 0, 1, 0]);
  });
  test("nothing flows back through a comparison", async () =>
    gradcheck({ op: "Greater", inputs: [random([2, 3]), random([3], 2)] }));
});

describe("shape arithmetic with named dimensions", () => {
  const elements = (op: string, inputs: readonly (readonly Dim[])[], dtypes: readonly ValueType["dtype"][] = []) => {
    const node: Node = {
      opType: op,
      domain: "",
      name: "",
      inputs: inputs.map((_, i) => `x${i}`),
      outputs: ["y"],
      attributes: op === "Cast" ? { to: int(6) } : {},
    };
    const types = inputs.map((value, i): ValueType => ({ dtype: dtypes[i] ?? "int64", shape: [value.length], value }));
    const ctx: InferContext = { node, opset: 17, inputs: types, constant: () => undefined };
    const def = opTable.get(node);
    return def.propagate?.(ctx, def.infer(ctx)[0]);
  };
  test("Equal: a name is itself and never negative; against another number it is unknown", () => {
    expect(
      elements("Equal", [
        ["n", "n", 3, 3],
        ["n", -1, 3, 4],
      ]),
    ).toEqual([1, 0, 1, 0]);
    expect(elements("Equal", [["n"], [3]])).toBeUndefined();
    expect(elements("Equal", [["n"], ["m"]])).toBeUndefined();
  });
  test("Where, Identity and Cast move names", () => {
    expect(
      elements(
        "Where",
        [
          [1, 0],
          ["n", "m"],
          [4, 5],
        ],
        ["bool"],
      ),
    ).toEqual(["n", 5]);
    expect(elements("Identity", [["n", 7]])).toEqual(["n", 7]);
    expect(elements("Cast", [["n", 7]])).toEqual(["n", 7]);
  });
  test("Sub and Div keep what is exact", () => {
    expect(
      elements("Sub", [
        ["n", "n", 9],
        ["n", 0, 4],
      ]),
    ).toEqual([0, "n", 5]);
    expect(elements("Sub", [["n"], [1]])).toBeUndefined();
    expect(
      elements("Div", [
        ["4*n", 7, "n"],
        [2, 2, "n"],
      ]),
    ).toEqual(["2*n", 3, 1]);
    expect(elements("Div", [["n"], [2]])).toBeUndefined();
  });
  test("ReduceProd multiplies lengths", () => {
    expect(elements("ReduceProd", [["n", 3, 32]])).toEqual(["96*n"]);
  });
});
