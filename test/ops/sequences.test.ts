import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { type Attributes, int } from "../../src/graph/attributes.js";
import { expectAgreement } from "../support/both-backends.js";
import { evaluate, f64, i64, valuesOf } from "../support/evaluate.js";
import { failure } from "../support/failure.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const of = (dtype: DType, dims: readonly number[], values: readonly number[]): Tensor =>
  fromNumbers(dtype, dims, values);
const single = (dims: readonly number[], seed = 1): Tensor => of("float32", dims, [...random(dims, seed).data]);

describe("ReverseSequence: value and gradient", () => {
  const timeFirst = { op: "ReverseSequence", inputs: [random([4, 3, 2]), i64(4, 1, 2)] };
  const batchFirst = {
    op: "ReverseSequence",
    inputs: [random([3, 4]), i64(1, 4, 3)],
    attributes: { batch_axis: int(0), time_axis: int(1) },
  };
  test.each<readonly [string, GradcheckCase]>([
    ["time first", timeFirst],
    ["batch first, opset 11", { ...batchFirst, opset: 11 }],
    ["a symbolic batch", { ...batchFirst, batch: 3 }],
  ])("%s", async (_, c) => gradcheck(c));
  test("the first elements turn around, the rest stay", () => {
    const x = of("float64", [1, 4], [1, 2, 3, 4]);
    expect(valuesOf("ReverseSequence", [x, i64(3)], { attributes: batchFirst.attributes })).toEqual([3, 2, 1, 4]);
  });
  test("a length beyond the time axis is refused", () => {
    expect(() => evaluate("ReverseSequence", [f64(1, 2), i64(3)])).toThrow("axes [1,0] do not fit a tensor of rank 1");
    expect(() => evaluate("ReverseSequence", [random([2, 1]), i64(3)])).toThrow(
      failure(
        "shape/mismatch",
        'ReverseSequence "y": a sequence length of 3 is outside 0..2. Give lengths within the time axis.',
      ),
    );
  });
});

describe("values agree with ONNX Runtime", () => {
  const ties = of("float32", [2, 2, 3], [1, 3, 3, 0, 5, 2, 7, 7, 1, 2, 2, 2]);
  const pixels = of("float32", [2, 3, 2], [-3, -1.5, -0.5, 0, 0.25, 0.75, 1.25, 2, 2.5, 300, -300, 9]);
  const scale = (...values: number[]) => of("float32", values.length === 1 ? [] : [values.length], values);
  const axis = (value: number): Attributes => ({ axis: int(value) });
  test.each<readonly [string, string, readonly Tensor[], Attributes, number]>([
    ["Hardmax takes the first of equals", "Hardmax", [ties], {}, 17],
    ["Hardmax along axis 1", "Hardmax", [ties], axis(1), 17],
    ["Hardmax before opset 13: over all axes from 1 on", "Hardmax", [ties], {}, 11],
    ["EyeLike", "EyeLike", [single([3, 4])], {}, 17],
    ["EyeLike above the diagonal, of integers", "EyeLike", [single([3, 4])], { k: int(1), dtype: int(7) }, 17],
    ["EyeLike below the diagonal", "EyeLike", [single([4, 2])], { k: int(-2) }, 17],
    ["QuantizeLinear to uint8", "QuantizeLinear", [pixels, scale(0.5), of("uint8", [], [128])], {}, 13],
    ["QuantizeLinear to int8, opset 11", "QuantizeLinear", [pixels, scale(0.5), of("int8", [], [-3])], {}, 11],
    ["QuantizeLinear without a zero point", "QuantizeLinear", [pixels, scale(0.5)], {}, 17],
    [
      "QuantizeLinear per channel",
      "QuantizeLinear",
      [pixels, scale(0.5, 1, 2), of("uint8", [3], [0, 10, 128])],
      axis(1),
      17,
    ],
    [
      "DequantizeLinear",
      "DequantizeLinear",
      [of("uint8", [2, 2], [0, 127, 128, 255]), scale(0.5), of("uint8", [], [128])],
      {},
      13,
    ],
    [
      "DequantizeLinear per channel",
      "DequantizeLinear",
      [of("int8", [2, 2], [-128, 127, 1, -1]), scale(0.5, 2), of("int8", [2], [0, 1])],
      axis(0),
      17,
    ],
    [
      "DequantizeLinear per block",
      "DequantizeLinear",
      [of("int8", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), of("float32", [2, 2], [1, 10, 100, 1000])],
      { axis: int(1), block_size: int(2) },
      21,
    ],
  ])("%s", (_, op, inputs, attributes, opset) => expectAgreement(op, inputs, attributes, opset));
});

describe("integers and steps", () => {
  test("scales that do not fit are refused", () => {
    expect(() => evaluate("DequantizeLinear", [of("uint8", [2, 2], [1, 2, 3, 4]), f64(1, 2, 3)])).toThrow(
      failure(
        "shape/mismatch",
        'DequantizeLinear "y": scales [3] do not fit x [2,2] along axis 1. Give one, one per index of the axis, or one per block.',
      ),
    );
  });
  test("a type that dynn does not quantize to is refused", () => {
    expect(() => evaluate("QuantizeLinear", [f64(1), of("float64", [], [1]), of("int32", [], [0])])).toThrow(
      failure(
        "model/dtype",
        'QuantizeLinear "y": its output type is int32, expected uint8, int8, uint16, int16. Export the model with one of those.',
      ),
    );
  });
});
