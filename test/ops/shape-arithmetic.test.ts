import { describe, expect, test } from "vitest";
import type { Shape } from "../../src/core/shape.js";
import { fromNumbers, int64s } from "../../src/core/tensor.js";
import { int, tensorAttribute } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { ValueName, ValueType } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";

/** The type that inference gives the value which `make` returns, for an input x of the given shape. */
function infer(shape: Shape, make: (b: GraphBuilder, x: ValueName) => ValueName, opset = 17): ValueType {
  const b = new GraphBuilder(emptyGraph("arithmetic", opset));
  const y = make(b, b.input("x", "float32", shape));
  b.output(y, "float32", undefined);
  return inferShapes(b.build(), opTable).types.get(y) as ValueType;
}

/** Longer than any axis may be. */
const HUGE = 2 ** 40;

const dimOf = (b: GraphBuilder, x: ValueName, axis: number): ValueName =>
  b.op("Gather", [b.op("Shape", [x]), b.scalar(axis, "int64")], { axis: int(0) });
const listOf = (b: GraphBuilder, ...dims: readonly ValueName[]): ValueName =>
  b.op(
    "Concat",
    dims.map((d) => b.op("Unsqueeze", [d, b.ints([0])])),
    { axis: int(0) },
  );

describe("shape arithmetic of exported models keeps a symbolic batch", () => {
  test("Shape, Gather, Unsqueeze, Concat, Reshape (patches of a vision transformer)", () => {
    const y = infer(["n", 192, 8, 8], (b, x) =>
      b.op("Reshape", [x, listOf(b, dimOf(b, x, 0), dimOf(b, x, 1), b.scalar(-1, "int64"))]),
    );
    expect(y.shape).toEqual(["n", 192, 64]);
  });
  test("ConstantOfShape, Equal, Where, Expand (the class token)", () => {
    const y = infer(["n", 3, 8, 8], (b, x) => {
      const wanted = listOf(b, dimOf(b, x, 0), b.scalar(-1, "int64"), b.scalar(-1, "int64"));
      const ones = b.op("ConstantOfShape", [b.ints([3])], { value: tensorAttribute(int64s([1])) });
      const chosen = b.op("Where", [
        b.op("Equal", [wanted, b.op("Mul", [ones, b.constant(fromNumbers("int64", [], [-1]))])]),
        ones,
        wanted,
      ]);
      return b.op("Expand", [b.constant(fromNumbers("float32", [1, 1, 192], new Float64Array(192))), chosen]);
    });
    expect(y.shape).toEqual(["n", 1, 192]);
  });
  test("Slice of a shape, and a product of lengths", () => {
    const y = infer(["n", 4, 6, 5], (b, x) => {
      const tail = b.op("Slice", [b.op("Shape", [x]), b.ints([2]), b.ints([4]), b.ints([0])]);
      const head = b.op("Mul", [dimOf(b, x, 0), dimOf(b, x, 1)]);
      return b.op("Reshape", [x, b.op("Concat", [b.op("Unsqueeze", [head, b.ints([0])]), tail], { axis: int(0) })]);
    });
    expect(y.shape).toEqual(["4*n", 6, 5]);
  });
  test("a slice up to the symbolic length is the whole", () => {
    expect(
      infer(["n", 7], (b, x) =>
        b.op("Slice", [x, b.ints([0]), b.op("Unsqueeze", [dimOf(b, x, 0), b.ints([0])]), b.ints([0])]),
      ).shape,
    ).toEqual(["n", 7]);
  });
  test("Split, Squeeze, Transpose and Expand move names", () => {
    expect(infer(["n", 7], (b, x) => b.ops("Split", [b.op("Shape", [x])], 2, { axis: int(0) })[0]).value).toEqual([
      "n",
    ]);
    expect(
      infer(["n", 7], (b, x) => b.op("Transpose", [b.op("Reshape", [b.op("Shape", [x]), b.ints([1, 2])])])).value,
    ).toEqual(["n", 7]);
    expect(
      infer(["n", 7], (b, x) => b.op("Expand", [b.op("Unsqueeze", [dimOf(b, x, 0), b.ints([0])]), b.ints([3])])).value,
    ).toEqual(["n", "n", "n"]);
    expect(
      infer(["n", 7], (b, x) => b.op("Squeeze", [b.op("Slice", [b.op("Shape", [x]), b.ints([0]), b.ints([1])])])).value,
    ).toEqual(["n"]);
  });
  test("Range up to a symbolic length has that length", () => {
    expect(
      infer(["n", 7], (b, x) => b.op("Range", [b.scalar(0, "int64"), dimOf(b, x, 0), b.scalar(1, "int64")])).shape,
    ).toEqual(["n"]);
  });
  test("Size is the product, Shape takes a part from opset 15", () => {
    expect(infer(["n", 7, 2], (b, x) => b.op("Size", [x])).value).toEqual(["14*n"]);
    expect(infer(["n", 7, 2], (b, x) => b.op("Shape", [x], { start: int(-2), end: int(2) })).value).toEqual([7]);
  });
  test("Reshape finds -1 among products of names", () => {
    expect(infer(["n", 12, "h", "w"], (b, x) => b.op("Reshape", [x, b.ints([0, 4, -1])])).shape).toEqual([
      "n",
      4,
      "3*h*w",
    ]);
    expect(infer(["n", 3], (b, x) => b.op("Reshape", [x, b.ints([-1, 2])])).shape).toEqual(["reshape.0", 2]);
  });
  test("lengths that nobody can know get a name of their own, the same each time", () => {
    const once = () => infer(["n", 3], (b, x) => b.op("Slice", [x, b.ints([0]), b.ints([2]), b.ints([0])])).shape;
    expect(once()).toEqual(["slice.0", 3]);
    expect(once()).toEqual(once());
  });
  test.each<[string, readonly number[], (b: GraphBuilder, x: string) => string]>([
    ["Expand", [1], (b, x) => b.op("Expand", [x, b.ints([HUGE, HUGE])])],
    ["ConstantOfShape", [1], (b) => b.op("ConstantOfShape", [b.ints([HUGE])])],
    ["Range", [1], (b) => b.op("Range", [b.scalar(0, "int64"), b.scalar(HUGE, "int64"), b.scalar(1, "int64")])],
    ["Pad", [1, 1], (b, x) => b.op("Pad", [x, b.ints([0, HUGE, 0, HUGE])])],
    ["Tile", [1, 1], (b, x) => b.op("Tile", [x, b.ints([HUGE, 1])])],
  ])("a hostile size is refused by inference before anything is allocated: %s", (_, shape, make) => {
    expect(() => infer(shape, make)).toThrow("[model/limit]");
  });
});
