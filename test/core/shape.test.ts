import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import {
  broadcastShapes,
  type Dim,
  divideDims,
  isStatic,
  multiplyDims,
  normalizeAxis,
  showShape,
  sizeOf,
  stridesOf,
} from "../../src/core/shape.js";
import { failure } from "../support/failure.js";

/** NumPy's rule, from its documentation: compare from the right; equal lengths, or one of them 1 (or absent). */
function numpyBroadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const out: number[] = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const [x, y] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (i <= a.length && i <= b.length && x !== y && x !== 1 && y !== 1) return undefined;
    out.unshift(x === 1 ? y : x);
  }
  return out;
}

const dims = fc.array(fc.constantFrom(1, 1, 2, 3, 0), { maxLength: 4 });
const dim: fc.Arbitrary<Dim> = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom("n", "h", "2*n", "3*h*n"));

/** The length that a dimension stands for, with n = 7 and h = 11. */
const lengthOf = (d: Dim): number =>
  String(d)
    .split("*")
    .reduce(
      (product, part) => product * ({ n: 7, h: 11 } as Record<string, number>)[part] || product * Number(part),
      1,
    );

const tryBroadcast = (a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | undefined => {
  try {
    return broadcastShapes(a, b, "Add");
  } catch (error) {
    if (error instanceof DynnError && error.code === "shape/mismatch") return undefined;
    throw error;
  }
};

describe("broadcasting", () => {
  test("follows NumPy's rule on numbers", () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(tryBroadcast(a, b)).toEqual(numpyBroadcast(a, b));
      }),
    );
  });

  test("does not depend on the order, and a shape broadcasts with itself and with a scalar to itself", () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(tryBroadcast(a, b)).toEqual(tryBroadcast(b, a));
        expect(tryBroadcast(a, a)).toEqual(a);
        expect(tryBroadcast(a, [])).toEqual(a);
      }),
    );
  });

  test.each([
    [
      ["n", 3],
      [1, 3],
      ["n", 3],
    ],
    [["n", 1], [3], ["n", 3]],
    [["n"], ["n"], ["n"]],
    [["n"], [5], [5]],
    [[5], ["n"], [5]],
    [["n"], ["m"], ["m"]],
    [
      [1, 1],
      ["2*n", 4, 1],
      ["2*n", 4, 1],
    ],
  ])("names: %j with %j gives %j", (a, b, expected) => {
    expect(broadcastShapes(a as Dim[], b as Dim[], "Add")).toEqual(expected);
  });

  test("shapes that do not fit are named in the message", () => {
    expect(() => broadcastShapes([2, 3], [4, 3], 'Add "y"')).toThrow(
      failure(
        "shape/mismatch",
        'Add "y": shapes [2,3] and [4,3] do not broadcast (2 against 4). Make the lengths equal or one of them 1.',
      ),
    );
  });
});

describe("products and quotients of dimensions", () => {
  test("a product stands for the product of the lengths, in one form whatever the order", () => {
    fc.assert(
      fc.property(fc.array(dim, { maxLength: 4 }), (list) => {
        const product = multiplyDims(list);
        expect(lengthOf(product)).toBe(list.map(lengthOf).reduce((a, b) => a * b, 1));
        expect(multiplyDims([...list].reverse())).toBe(product);
        expect(multiplyDims([product])).toBe(product);
      }),
    );
  });

  test("dividing a product by one factor gives the product of the others", () => {
    fc.assert(
      fc.property(dim, fc.array(dim, { maxLength: 3 }), (by, rest) => {
        expect(divideDims(multiplyDims([by, ...rest]), by)).toBe(multiplyDims(rest));
      }),
    );
  });

  test("a quotient, where there is one, times the divisor is the dividend", () => {
    fc.assert(
      fc.property(dim, dim, (a, b) => {
        const quotient = divideDims(a, b);
        if (quotient !== undefined) expect(multiplyDims([quotient, b])).toBe(multiplyDims([a]));
        else expect(lengthOf(a) % lengthOf(b) === 0 && typeof a === typeof b && typeof a === "number").toBe(false);
      }),
    );
  });

  test("products by hand", () => {
    expect(multiplyDims([4, "n", 2])).toBe("8*n");
    expect(multiplyDims(["n", "h"])).toBe("h*n");
    expect(multiplyDims(["n", 0])).toBe(0);
    expect(multiplyDims([])).toBe(1);
    expect(divideDims("8*n", 3)).toBeUndefined();
    expect(divideDims(8, "n")).toBeUndefined();
    expect(divideDims(8, 0)).toBeUndefined();
    expect(divideDims("n", "n")).toBe(1);
  });
});

test("row-major strides, sizes and static shapes", () => {
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
  expect(stridesOf([])).toEqual([]);
  expect(sizeOf([2, 3, 4])).toBe(24);
  expect(sizeOf([])).toBe(1);
  expect(sizeOf([2, 0])).toBe(0);
  expect(isStatic([1, 2])).toBe(true);
  expect(isStatic(["n", 2])).toBe(false);
  expect(showShape(["n", 3])).toBe("[n,3]");
  expect(showShape(undefined)).toBe("[?]");
});

test("a negative axis counts from the end; an axis outside is refused", () => {
  expect([-3, -1, 0, 2].map((axis) => normalizeAxis(axis, 3, "Softmax"))).toEqual([0, 2, 0, 2]);
  expect(() => normalizeAxis(3, 3, 'Softmax "y"')).toThrow(
    failure("shape/mismatch", 'Softmax "y": axis 3 does not exist in a tensor of rank 3. Use an axis from -3 to 2.'),
  );
  expect(() => normalizeAxis(-4, 3, "x")).toThrow(/axis -4/);
});
