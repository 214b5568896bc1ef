import { describe, expect, test } from "vitest";
import { byteSize, isFloat } from "../../src/core/dtype.js";
import { fromNumbers, int64s, scalar, tensor, toNumbers } from "../../src/core/tensor.js";
import { failure } from "../support/failure.js";

const bits = (dtype: "float16" | "bfloat16", value: number): number => fromNumbers(dtype, [1], [value]).data[0];
const hex = (n: number): string => `0x${n.toString(16).padStart(4, "0")}`;

/** Bit patterns from IEEE 754-2019 (binary16), section 3.6, and hand-rounding of the neighbours. */
const FLOAT16: readonly (readonly [number, number])[] = [
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [1 / 3, 0x3555],
  [65504, 0x7bff],
  [65519.999, 0x7bff],
  [65520, 0x7c00],
  [1e300, 0x7c00],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [2 ** -14, 0x0400],
  [2 ** -14 - 2 ** -24, 0x03ff],
  [2 ** -24, 0x0001],
  [-(2 ** -24), 0x8001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.0000001, 0x0001],
  [3 * 2 ** -25, 0x0002],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [1 + 2 ** -11 + 2 ** -40, 0x3c01],
  [2047.5, 0x6800],
  [Number.NaN, 0x7e00],
];

/** bfloat16 is the upper half of a binary32. */
const BFLOAT16: readonly (readonly [number, number])[] = [
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3f80],
  [-2, 0xc000],
  [1 / 3, 0x3eab],
  [Math.PI, 0x4049],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [1 + 2 ** -8 + 2 ** -40, 0x3f81],
  [255 * 2 ** 120, 0x7f7f],
  [511 * 2 ** 119, 0x7f80],
  [3.5e38, 0x7f80],
  [2 ** -126, 0x0080],
  [2 ** -133, 0x0001],
  [2 ** -134, 0x0000],
  [Number.POSITIVE_INFINITY, 0x7f80],
  [Number.NEGATIVE_INFINITY, 0xff80],
  [Number.NaN, 0x7fc0],
];

describe("16-bit floats", () => {
  test.each(FLOAT16)("float16 of %d", (value, pattern) => {
    expect(hex(bits("float16", value))).toBe(hex(pattern));
  });
  test.each(BFLOAT16)("bfloat16 of %d", (value, pattern) => {
    expect(hex(bits("bfloat16", value))).toBe(hex(pattern));
  });

  test.each(["float16", "bfloat16"] as const)(
    "every one of the 65536 patterns of %s survives a round trip",
    (dtype) => {
      const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
      const numbers = toNumbers(tensor(dtype, [65536], all));
      const back = fromNumbers(dtype, [65536], numbers).data;
      const lost = [...all].filter((pattern) => !Number.isNaN(numbers[pattern]) && back[pattern] !== pattern);
      expect(lost.map(hex)).toEqual([]);
      const [exponent, fraction] = dtype === "float16" ? [0x7c00, 0x03ff] : [0x7f80, 0x007f];
      const nans = [...all].filter((p) => (p & exponent) === exponent && (p & fraction) !== 0);
      expect([...all].filter((p) => Number.isNaN(numbers[p]))).toEqual(nans);
    },
  );

  test("values of bfloat16 patterns are those of the float32 that they are the upper half of", () => {
    const view = new DataView(new ArrayBuffer(4));
    const numbers = toNumbers(
      tensor(
        "bfloat16",
        [65536],
        Uint16Array.from({ length: 65536 }, (_, i) => i),
      ),
    );
    const wrong = numbers.findIndex((value, pattern) => {
      view.setUint32(0, pattern * 65536);
      return !Object.is(view.getFloat32(0), value);
    });
    expect(wrong).toBe(-1);
  });

  test("float16 values are those of the definition", () => {
    const of = (pattern: number) => toNumbers(tensor("float16", [1], Uint16Array.of(pattern)))[0];
    expect(of(0x3555)).toBe(0.333251953125);
    expect(of(0x0001)).toBe(2 ** -24);
    expect(of(0x7bff)).toBe(65504);
    expect(of(0x8000)).toBe(-0);
  });
});

describe("integers", () => {
  test("int64 truncates towards zero and saturates", () => {
    const values = [1.9, -1.9, 2 ** 53, 1e30, -1e30, 2 ** 63, -(2 ** 63), Number.NaN, Number.NEGATIVE_INFINITY];
    expect([...fromNumbers("int64", [values.length], values).data]).toEqual([
      1n,
      -1n,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 63n - 1n,
      -(2n ** 63n),
      0n,
      -(2n ** 63n),
    ]);
  });

  test("uint64 saturates at both ends", () => {
    expect([...fromNumbers("uint64", [4], [-5, 1e30, 2.7, Number.NaN]).data]).toEqual([0n, 2n ** 64n - 1n, 2n, 0n]);
  });

  test("64-bit integers come back as numbers", () => {
    expect([...toNumbers(int64s([3, -4]))]).toEqual([3, -4]);
    expect([...toNumbers(fromNumbers("uint64", [1], [7]))]).toEqual([7]);
  });
});

test("a tensor's elements fill its dimensions", () => {
  expect(scalar("float32", 0.1).data[0]).toBe(Math.fround(0.1));
  expect(scalar("float32", 1).dims).toEqual([]);
  expect(() => tensor("float32", [2, 3], new Float32Array(5))).toThrow(
    failure(
      "shape/mismatch",
      "tensor: 5 elements do not fill shape [2,3] (6 elements). Give data and dims that agree.",
    ),
  );
});

test("float64 data are handed through without a copy, others are converted", () => {
  const data = Float64Array.of(1, 2);
  expect(toNumbers(tensor("float64", [2], data))).toBe(data);
  expect(toNumbers(tensor("bool", [2], Uint8Array.of(0, 1)))).toEqual(Float64Array.of(0, 1));
});

test("sizes and kinds of element types", () => {
  expect([byteSize("bfloat16"), byteSize("int64"), byteSize("bool")]).toEqual([2, 8, 1]);
  expect([isFloat("float16"), isFloat("int32"), isFloat("bool")]).toEqual([true, false, false]);
});
