import { describe, expect, test } from "vitest";
import { float } from "../../src/graph/attributes.js";
import { clearOf, f64, valuesOf } from "../support/evaluate.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

type Case = readonly [string, GradcheckCase];

describe("angles and hyperbolic functions: gradients agree with finite differences and values with ONNX Runtime", () => {
  const domains: Readonly<Record<string, readonly [low: number, high: number]>> = {
    Tan: [-1.2, 1.2],
    Asin: [-0.9, 0.9],
    Acos: [-0.9, 0.9],
    Atan: [-3, 3],
    Sinh: [-2, 2],
    Cosh: [-2, 2],
    Asinh: [-3, 3],
    Acosh: [1.2, 4],
    Atanh: [-0.9, 0.9],
  };
  const cases = Object.entries(domains).flatMap(([op, [low, high]]): Case[] => [
    [`${op}: opset 11`, { op, inputs: [random([3, 4], 1, low, high)], opset: 11 }],
    [`${op}: opset 21, a symbolic batch`, { op, inputs: [random([3, 4], 2, low, high)], opset: 21, batch: 3 }],
  ]);
  test.each(cases)("%s", async (_, c) => gradcheck(c));
  test("each undoes its inverse", () => {
    for (const [f, inverse] of [
      ["Tan", "Atan"],
      ["Sinh", "Asinh"],
      ["Cosh", "Acosh"],
      ["Sin", "Asin"],
      ["Cos", "Acos"],
      ["Tanh", "Atanh"],
    ] as const)
      expect(valuesOf(inverse, [f64(...valuesOf(f, [f64(0.3, 1.1)]))])).toEqual([
        expect.closeTo(0.3, 12),
        expect.closeTo(1.1, 12),
      ]);
  });
});

describe("Shrink", () => {
  const x = clearOf([-0.5, 0, 0.5, -1.2, 1.2], [4, 5]);
  test.each<Case>([
    ["hard, by default", { op: "Shrink", inputs: [x] }],
    ["soft", { op: "Shrink", inputs: [x], attributes: { lambd: float(1.2), bias: float(1.2) } }],
    ["opset 11, a symbolic batch", { op: "Shrink", inputs: [x], opset: 11, batch: 4 }],
  ])("%s: value and gradient", async (_, c) => gradcheck(c));
  test("values of the specification's two examples", () => {
    // ONNX Shrink-9, examples hard_shrink and soft_shrink
    const input = f64(-2, -1, 0, 1, 2);
    expect(valuesOf("Shrink", [input], { attributes: { lambd: float(1.5) } })).toEqual([-2, 0, 0, 0, 2]);
    expect(valuesOf("Shrink", [input], { attributes: { lambd: float(1.5), bias: float(1.5) } })).toEqual([
      -0.5, 0, 0, 0, 0.5,
    ]);
  });
  test("the gradient at both bounds is 0", () => {
    expect(gradientOf("Shrink", [f64(-1, -0.5, 0, 0.5, 1)])).toEqual([[1, 0, 0, 0, 1]]);
  });
});
