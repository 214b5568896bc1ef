import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import type { ErrorCode } from "../../src/core/errors.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";

type Input = readonly [DType, ...number[]];

/** Infers one node whose inputs have these types. */
function infer(opType: string, ...inputs: readonly Input[]): void {
  const b = new GraphBuilder(emptyGraph("node", 17));
  const names = inputs.map(([dtype, ...dims], i) => b.input(`i${i}`, dtype, dims));
  b.output(b.op(opType, names), "float32", undefined);
  inferShapes(b.build(), opTable);
}

/** For the failure whose message goes on in some way after these words. */
const saying = (code: ErrorCode, text: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

const IMAGES: Input = ["float32", 1, 4, 8, 8];
const KERNEL: Input = ["float32", 4, 4, 3, 3];

describe("an input of a type that its operator does not take is refused:", () => {
  test.each<[string, string, string, Input[]]>([
    [
      "a bias of integers",
      "Conv",
      "input 2 is int64 [4], expected a floating-point type",
      [IMAGES, KERNEL, ["int64", 4]],
    ],
    [
      "a kernel of another type",
      "Conv",
      "input 1 is float64 [4,4,3,3], expected float32",
      [IMAGES, ["float64", 4, 4, 3, 3]],
    ],
    ["a sum of two types", "Add", "input 1 is int64 [], expected float32", [IMAGES, ["int64"]]],
    [
      "a statistic of integers",
      "BatchNormalization",
      "input 4 is int32 [4], expected a floating-point type",
      [IMAGES, ["float32", 4], ["float32", 4], ["float32", 4], ["int32", 4]],
    ],
    [
      "a shape with four axes",
      "Expand",
      "input 1 is int64 [1,4,8,2], expected int64 and one axis",
      [IMAGES, ["int64", 1, 4, 8, 2]],
    ],
    [
      "an index that is no integer",
      "Gather",
      "input 1 is float32 [2], expected int64 or int32",
      [IMAGES, ["float32", 2]],
    ],
    ["a condition that is none", "Where", "input 0 is float32 [1,4,8,8], expected bool", [IMAGES, IMAGES, IMAGES]],
    ["branches of two types", "Where", "input 2 is int64 [], expected float32", [["bool"], IMAGES, ["int64"]]],
  ])("%s", (_, opType, text, inputs) => {
    expect(() => infer(opType, ...inputs)).toThrow(saying("model/dtype", text));
  });
});

test("types that may differ, may", () => {
  for (const [opType, ...inputs] of [
    ["Pow", IMAGES, ["int64"]],
    ["Where", ["bool"], IMAGES, ["float32"]],
    ["BatchNormalization", ["float16", 1, 4, 8, 8], ["float32", 4], ["float32", 4], ["float32", 4], ["float32", 4]],
  ] as [string, ...Input[]][])
    expect(() => infer(opType, ...inputs)).not.toThrow();
});

test.each(["Conv", "ConvTranspose"])("%s wants one bias per kernel", (opType) => {
  expect(() => infer(opType, IMAGES, KERNEL, ["float32", 3])).toThrow(
    saying("shape/mismatch", "input 2 has shape [3], expected [4], one per channel"),
  );
});
