import { describe, expect, test } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { string } from "../../src/graph/attributes.js";
import { evaluate, f64 } from "../support/evaluate.js";
import { failure } from "../support/failure.js";

const of = (dtype: DType, ...values: readonly number[]) => fromNumbers(dtype, [values.length], values);
const result = (...call: Parameters<typeof evaluate>) => {
  const [y] = evaluate(...call);
  return [y?.dtype, ...toNumbers(y)];
};

describe("operators on bits", () => {
  // Expected values from NumPy: bitwise_and, bitwise_or, bitwise_xor and invert of arrays of these types.
  test("two numbers, negative ones in two's complement", () => {
    const [x, w] = [of("int32", 12, -7, 1024), of("int32", 10, 5, -1)];
    expect(result("BitwiseAnd", [x, w], { opset: 18 })).toEqual(["int32", 8, 1, 1024]);
    expect(result("BitwiseOr", [x, w], { opset: 18 })).toEqual(["int32", 14, -3, -1]);
    expect(result("BitwiseXor", [x, w], { opset: 18 })).toEqual(["int32", 6, -4, -1025]);
  });
  test("a scalar broadcasts", () => {
    expect(result("BitwiseAnd", [of("uint8", 255, 129), fromNumbers("uint8", [], [15])], { opset: 18 })).toEqual([
      "uint8",
      15,
      1,
    ]);
  });
  test("every bit turned over stays within the type", () => {
    expect(result("BitwiseNot", [of("uint8", 0, 1, 255)], { opset: 18 })).toEqual(["uint8", 255, 254, 0]);
    expect(result("BitwiseNot", [of("int16", 0, -1, 300)], { opset: 18 })).toEqual(["int16", -1, 0, -301]);
  });
  test("bits shifted out of the type are lost", () => {
    const [x, by] = [of("uint8", 16, 4, 200), of("uint8", 1, 2, 1)];
    // ONNX BitShift-11, examples left_unit8 and right_unit8, and 200 * 2 - 256
    expect(result("BitShift", [x, by], { attributes: { direction: string("LEFT") } })).toEqual(["uint8", 32, 16, 144]);
    expect(result("BitShift", [x, by], { attributes: { direction: string("RIGHT") } })).toEqual(["uint8", 8, 1, 100]);
  });
  test("other types and directions are refused by name", () => {
    expect(() => evaluate("BitwiseNot", [f64(1)], { opset: 18 })).toThrow(
      failure(
        "shape/mismatch",
        'BitwiseNot "y": its input is float64, expected uint8, uint16, uint32, uint64, int8, int16, int32, int64. Export the model again.',
      ),
    );
    expect(() => evaluate("BitShift", [of("uint8", 1), of("uint8", 1)])).toThrow(
      failure(
        "shape/mismatch",
        'BitShift "y": direction "" is unknown, expected LEFT or RIGHT. Export the model again.',
      ),
    );
  });
});
