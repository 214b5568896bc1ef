import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { type Attributes, int } from "../../src/graph/attributes.js";
import { evaluate, f64, valuesOf } from "../support/evaluate.js";
import { gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

describe.each(["Softmax", "LogSoftmax"])("%s", (op) => {
  const cases: readonly (readonly [string, readonly number[], Attributes, number])[] = [
    ["the last axis by default", [2, 3, 4], {}, 17],
    ["axis 1", [2, 3, 4], { axis: int(1) }, 13],
    ["axis -3", [2, 3, 4], { axis: int(-3) }, 17],
    ["an axis of length 1", [2, 1, 4], { axis: int(1) }, 17],
    ["opset 11: everything from axis 1 on by default", [2, 3, 4], {}, 11],
    ["opset 12: everything from axis 0 on", [2, 3], { axis: int(0) }, 12],
    ["opset 12: the last axis", [2, 3, 4], { axis: int(-1) }, 12],
  ];
  test.each(cases)("%s", async (_, dims, attributes, opset) => {
    await gradcheck({ op, inputs: [random(dims)], attributes, opset });
    await gradcheck({ op, inputs: [random(dims)], attributes, opset, batch: dims[0] });
  });
  test("an axis beyond the rank is refused", () => {
    expect(() => evaluate(op, [f64(1, 2)], { attributes: { axis: int(1) } })).toThrow(
      /axes \[1\] do not fit a tensor of rank 1.*\[shape\/mismatch\]/,
    );
  });
});

describe("values", () => {
  test("probabilities of known logits", () => {
    const logits = f64(Math.log(1), Math.log(2), Math.log(5));
    valuesOf("Softmax", [logits]).forEach((p, i) => {
      expect(p).toBeCloseTo([1 / 8, 2 / 8, 5 / 8][i], 15);
    });
    expect(valuesOf("LogSoftmax", [logits])[2]).toBeCloseTo(Math.log(5 / 8), 15);
  });
  test("before opset 13 one distribution spans all axes from axis on", () => {
    const x = fromNumbers("float64", [1, 2, 2], [0, 0, 0, 0]);
    expect(valuesOf("Softmax", [x], { opset: 11 })).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(valuesOf("Softmax", [x], { opset: 13 })).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
  test("large logits do not overflow", () => {
    expect(valuesOf("Softmax", [f64(1000, 0)])).toEqual([1, 0]);
    expect(valuesOf("LogSoftmax", [f64(1000, 0, -1000)])).toEqual([0, -1000, -2000]);
  });
  test("the sum of probabilities is constant, so its gradient is 0", () => {
    for (const g of gradientOf("Softmax", [f64(1, -2, 0.5)])[0] ?? []) expect(g).toBeCloseTo(0, 15);
  });
});
