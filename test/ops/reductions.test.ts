import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { type Attributes, int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { evaluate, f64, i64, valuesOf } from "../support/evaluate.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

const REDUCTIONS = [
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceSumSquare",
];
const inputFor = (op: string, dims: readonly number[]): Tensor =>
  op === "ReduceLogSum" || op === "ReduceL1" ? random(dims, 1, 0.3, 2) : random(dims);

/** A case with the axes where the opset wants them. */
function reduce(
  op: string,
  dims: readonly number[],
  axes: readonly number[] | undefined,
  keepdims: 0 | 1,
  opset: number,
): GradcheckCase {
  const asInput = opset >= (op === "ReduceSum" ? 13 : 18);
  const given: Attributes = axes && !asInput ? { axes: ints(axes) } : {};
  return {
    op,
    inputs: [inputFor(op, dims), ...(axes && asInput ? [i64(...axes)] : [])],
    attributes: { keepdims: int(keepdims), ...given },
    opset,
  };
}

describe.each(REDUCTIONS)("%s: gradients agree with finite differences and values with ONNX Runtime", (op) => {
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["one axis, kept", reduce(op, [2, 3, 4], [1], 1, 17)],
    ["one axis, dropped", reduce(op, [2, 3, 4], [1], 0, 17)],
    ["negative axes", reduce(op, [2, 3, 4], [-1, 0], 0, 17)],
    ["all axes by default", reduce(op, [2, 3], undefined, 1, 17)],
    ["all axes dropped", reduce(op, [2, 3], undefined, 0, 17)],
    ["an axis of length 1", reduce(op, [2, 1, 3], [1], 0, 17)],
    ["opset 11", reduce(op, [2, 3, 4], [2, 1], 1, 11)],
    ["opset 13", reduce(op, [2, 3, 4], [2], 0, 13)],
    ["opset 18", reduce(op, [2, 3, 4], [-2], 0, 18)],
    ["a symbolic batch kept", { ...reduce(op, [5, 3, 2], [1, 2], 0, 17), batch: 5 }],
    ["a symbolic batch reduced", { ...reduce(op, [5, 3, 2], [0], 0, 17), batch: 5 }],
    ["a symbolic batch reduced, opset 18", { ...reduce(op, [5, 3, 2], [0, 2], 1, 18), batch: 5 }],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
  test("with noop_with_empty_axes and no axes each element is a line of its own", async () =>
    gradcheck({ op, inputs: [inputFor(op, [2, 3])], attributes: { noop_with_empty_axes: int(1) }, opset: 18 }));
});

describe("values", () => {
  const x = fromNumbers("float64", [2, 3], [1, 2, 3, 4, 5, 6]);
  const rows: readonly (readonly [string, readonly number[]])[] = [
    ["ReduceSum", [6, 15]],
    ["ReduceMean", [2, 5]],
    ["ReduceMax", [3, 6]],
    ["ReduceMin", [1, 4]],
    ["ReduceProd", [6, 120]],
    ["ReduceL1", [6, 15]],
    ["ReduceL2", [Math.sqrt(14), Math.sqrt(77)]],
    ["ReduceLogSum", [Math.log(6), Math.log(15)]],
    ["ReduceLogSumExp", [3, 6].map((top) => top + Math.log(1 + Math.exp(-1) + Math.exp(-2)))],
    ["ReduceSumSquare", [14, 77]],
  ];
  test.each(rows)("%s of two rows", (op, want) => {
    const [y] = evaluate(op, [x, i64(1)], { attributes: { keepdims: int(0) }, opset: 18 });
    expect(y?.dims).toEqual([2]);
    want.forEach((v, i) => {
      expect(y?.data[i]).toBeCloseTo(v, 14);
    });
  });
  test("ReduceLogSumExp does not overflow", () => {
    expect(valuesOf("ReduceLogSumExp", [f64(1000, 1000)])).toEqual([1000 + Math.log(2)]);
  });
  test("axes that are not constants are refused", () => {
    const b = new GraphBuilder(emptyGraph("g", 18));
    b.op("ReduceSum", [b.input("x", "float32", [2, 3]), b.input("axes", "int64", [1])]);
    expect(() => inferShapes(b.build(), opTable)).toThrow(
      /axes \(input 1\) must be known before running.*\[shape\/unknown\]/,
    );
  });
  test("an axis beyond the rank is refused", () => {
    expect(() => evaluate("ReduceMax", [x, i64(2)], { opset: 18 })).toThrow(
      /axes \[2\] do not fit a tensor of rank 2.*\[shape\/mismatch\]/,
    );
  });
});

describe("ties and zeros", () => {
  test("ReduceMax and ReduceMin share the gradient among elements that tie", () => {
    expect(gradientOf("ReduceMax", [f64(2, 1, 2, 0)])).toEqual([[0.5, 0, 0.5, 0]]);
    expect(gradientOf("ReduceMin", [f64(2, 0, 0, 0)])).toEqual([[0, 1 / 3, 1 / 3, 1 / 3]]);
  });
  test("ReduceProd with zeros: the product of the others", () => {
    expect(gradientOf("ReduceProd", [f64(2, 3, 4)])).toEqual([[12, 8, 6]]);
    expect(gradientOf("ReduceProd", [f64(2, 0, 4)])).toEqual([[0, 8, 0]]);
    expect(gradientOf("ReduceProd", [f64(0, 0, 4)])).toEqual([[0, 0, 0]]);
  });
  test("norms of zeros have gradient 0", () => {
    expect(gradientOf("ReduceL2", [f64(0, 0)])).toEqual([[0, 0]]);
    expect(gradientOf("ReduceL1", [f64(0, -2)])).toEqual([[0, -1]]);
  });
});
