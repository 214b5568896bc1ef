import { describe, expect, test } from "vitest";
import { fromNumbers, int64s, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, int, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { evaluate, f64, i64 as list, valuesOf } from "../support/evaluate.js";
import { failure } from "../support/failure.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

type Case = readonly [string, GradcheckCase];
const i64 = (dims: readonly number[], values: readonly number[]) => fromNumbers("int64", dims, values);

describe("GatherND: value and gradient", () => {
  const of = (
    x: readonly number[],
    indices: readonly [readonly number[], readonly number[]],
    more: Partial<GradcheckCase> = {},
  ): GradcheckCase => ({ op: "GatherND", inputs: [random(x), i64(...indices)], ...more });
  const batch = (n: number): Attributes => ({ batch_dims: int(n) });
  test.each<Case>([
    [
      "elements",
      of(
        [3, 4],
        [
          [2, 2],
          [0, 3, 2, 1],
        ],
      ),
    ],
    [
      "repeated elements add up",
      of(
        [3, 4],
        [
          [4, 2],
          [0, 3, 2, 1, 0, 3, 0, 3],
        ],
      ),
    ],
    [
      "repeated elements at opset 13",
      of(
        [3, 4],
        [
          [3, 2],
          [0, 3, 2, 1, 0, 3],
        ],
        { opset: 13 },
      ),
    ],
    [
      "negative indices",
      of(
        [3, 4],
        [
          [2, 2],
          [-1, -4, 2, 0],
        ],
        { opset: 11 },
      ),
    ],
    [
      "slices",
      of(
        [3, 4, 2],
        [
          [3, 1],
          [2, 0, 2],
        ],
      ),
    ],
    [
      "slices of two axes",
      of(
        [2, 3, 2, 2],
        [
          [2, 2, 2],
          [1, 0, 0, 2, 1, 0, 1, -1],
        ],
      ),
    ],
    ["one tuple", of([3, 4], [[2], [1, 2]])],
    [
      "batch_dims 1",
      of(
        [2, 3, 4],
        [
          [2, 2, 1],
          [0, 2, 2, 2],
        ],
        { attributes: batch(1) },
      ),
    ],
    [
      "batch_dims 2",
      of(
        [2, 2, 3, 2],
        [
          [2, 2, 1],
          [0, 2, 1, 1],
        ],
        { attributes: batch(2) },
      ),
    ],
    [
      "batch_dims 1 at opset 12",
      of(
        [2, 3, 4],
        [
          [2, 1, 2],
          [0, 3, 2, 2],
        ],
        { attributes: batch(1), opset: 12 },
      ),
    ],
    [
      "batch_dims 1, a symbolic batch",
      of(
        [5, 3, 4],
        [
          [5, 2, 1],
          [0, 2, 2, 2, 1, 0, 0, 0, 1, 2],
        ],
        { attributes: batch(1), batch: 5 },
      ),
    ],
    ["no tuples", of([3, 4], [[0, 2], []])],
  ])("%s", async (_, c) => gradcheck(c));
  test("a symbolic batch beside batch_dims", () => {
    const b = new GraphBuilder(emptyGraph("g", 17));
    const indices = b.input("i", "int64", ["n", 2, 1]);
    const y = b.op("GatherND", [b.input("x", "float32", ["n", 5, 3]), indices], batch(1), "y");
    b.output(y, "float32", undefined);
    expect(inferShapes(b.build(), opTable).types.get(y)?.shape).toEqual(["n", 2, 3]);
  });
  test("tuples longer than the data has axes are refused", () => {
    expect(() => evaluate("GatherND", [random([3, 4]), i64([1, 3], [0, 0, 0])])).toThrow(
      failure(
        "shape/mismatch",
        'GatherND "y": indices [1,3] do not fit data [3,4] with 0 batch axes. Give tuples of 1 to 2 indices.',
      ),
    );
  });
  test("shape arithmetic is followed", () => {
    expect(valuesOf("GatherND", [list(7, 8, 9), i64([2, 1], [2, 0])])).toEqual([9, 7]);
  });
});

describe("ScatterND: value and gradient", () => {
  const of = (
    x: readonly number[],
    indices: readonly [readonly number[], readonly number[]],
    updates: readonly number[],
    more: Partial<GradcheckCase> = {},
  ): GradcheckCase => ({ op: "ScatterND", inputs: [random(x), i64(...indices), random(updates, 2)], ...more });
  const add = { attributes: { reduction: string("add") }, opset: 16 };
  test.each<Case>([
    [
      "writing elements, opset 11",
      of(
        [3, 4],
        [
          [2, 2],
          [0, 3, 2, 1],
        ],
        [2],
        { opset: 11 },
      ),
    ],
    [
      "writing slices",
      of(
        [4, 3],
        [
          [2, 1],
          [3, 1],
        ],
        [2, 3],
        { opset: 13 },
      ),
    ],
    [
      "writing at negative indices",
      of(
        [4, 3],
        [
          [2, 1],
          [-1, 1],
        ],
        [2, 3],
        { opset: 18 },
      ),
    ],
    ["writing one slice", of([4, 3, 2], [[2], [3, 1]], [2])],
    [
      "adding, with repeats",
      of(
        [4, 3],
        [
          [3, 1],
          [3, 1, 3],
        ],
        [3, 3],
        add,
      ),
    ],
  ])("%s", async (_, c) => gradcheck(c));
  test("multiplying, and the largest and smallest", () => {
    const [x, at, updates] = [f64(1, 2, 3, 4), i64([3, 1], [1, 3, 1]), f64(5, 2, 7)];
    const by = (reduction: string) =>
      valuesOf("ScatterND", [x, at, updates], { attributes: { reduction: string(reduction) }, opset: 18 });
    expect(by("none")).toEqual([1, 7, 3, 2]);
    expect(by("mul")).toEqual([1, 70, 3, 8]);
    expect(by("max")).toEqual([1, 7, 3, 4]);
    expect(by("min")).toEqual([1, 2, 3, 2]);
  });
  test("a maximum has no gradient rule", () => {
    expect(() =>
      gradientOf("ScatterND", [f64(1, 2), i64([1, 1], [0]), f64(3)], { reduction: string("max") }, 18),
    ).toThrow(
      failure(
        "gradient/none",
        'ScatterND "y": no gradient: reduction "max" has no gradient rule. Use "add" or "none".',
      ),
    );
  });
  test("updates of another shape are refused", () => {
    expect(() => evaluate("ScatterND", [random([3, 4]), i64([1, 1], [0]), random([1, 3])])).toThrow(
      failure(
        "shape/mismatch",
        'ScatterND "y": updates have shape [1,3], expected [1,4] for data [3,4] and indices [1,1]. Export the model again.',
      ),
    );
  });
});

describe("TopK: value and gradient", () => {
  const of = (x: readonly number[], k: number, attributes: Attributes = {}, more: Partial<GradcheckCase> = {}) => ({
    op: "TopK",
    inputs: [random(x), int64s([k])],
    outputs: 2,
    attributes,
    ...more,
  });
  test.each<Case>([
    ["along the last axis", of([3, 6], 2)],
    ["the smallest, along a middle axis, opset 11", of([2, 5, 3], 3, { axis: int(1), largest: int(0) }, { opset: 11 })],
    ["all of them", of([2, 4], 4, { axis: int(-1) })],
    ["none", of([2, 4], 0)],
    ["a symbolic batch", of([5, 4], 2, {}, { batch: 5 })],
  ])("%s", async (_, c) => gradcheck(c));
  test("of equal elements the first comes first ", () => {
    const x = f64(1, 3, 3, 0, 3);
    const [values, indices] = evaluate("TopK", [x, list(2)], { outputs: 2 });
    expect([...toNumbers(values as never), ...toNumbers(indices as never)]).toEqual([3, 3, 1, 2]);
  });
  test("more than there are is refused", () => {
    expect(() => evaluate("TopK", [f64(1, 2), list(3)])).toThrow(
      failure("shape/mismatch", 'TopK "y": k is 3 for an axis of length 2. Use a k from 0 to 2.'),
    );
  });
});
