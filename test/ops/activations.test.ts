import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, string } from "../../src/graph/attributes.js";
import { clearOf, f64, valuesOf } from "../support/evaluate.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

describe("gradients agree with finite differences and values with ONNX Runtime", () => {
  const activations: readonly (readonly [string, Attributes, readonly number[], number])[] = [
    ["Relu", {}, [0], 11],
    ["LeakyRelu", {}, [0], 17],
    ["LeakyRelu", { alpha: float(0.3) }, [0], 11],
    ["Sigmoid", {}, [], 11],
    ["Tanh", {}, [], 11],
    ["Elu", {}, [0], 13],
    ["Elu", { alpha: float(0.5) }, [0], 11],
    ["Selu", {}, [0], 11],
    ["Selu", { alpha: float(1.5), gamma: float(2) }, [0], 17],
    ["Celu", {}, [0], 12],
    ["Celu", { alpha: float(0.5) }, [0], 13],
    ["Softplus", {}, [], 11],
    ["Softsign", {}, [0], 11],
    ["ThresholdedRelu", {}, [1], 11],
    ["ThresholdedRelu", { alpha: float(0.4) }, [0.4], 17],
    ["HardSigmoid", {}, [-2.5, 2.5], 17],
    ["HardSigmoid", { alpha: float(0.5), beta: float(0.6) }, [-1.2, 0.8], 11],
    ["HardSwish", {}, [-3, 3], 14],
    ["Gelu", {}, [], 20],
    ["Gelu", { approximate: string("tanh") }, [], 20],
    ["Mish", {}, [], 18],
  ];
  test.each(activations)("%s %o", async (op, attributes, kinks, opset) => {
    const inputs = [clearOf(kinks, [5, 8], 1, 3)];
    await gradcheck({ op, inputs, attributes, opset });
    await gradcheck({ op, inputs, attributes, opset, batch: 5 });
    await gradcheck({ op, inputs, attributes, opset: 21 });
  });

  const slopes: readonly (readonly [string, GradcheckCase])[] = [
    ["one slope per channel", { op: "PRelu", inputs: [clearOf([0], [2, 3, 4, 2]), random([3, 1, 1], 2)] }],
    ["one slope", { op: "PRelu", inputs: [clearOf([0], [2, 3]), random([1], 2)], opset: 11 }],
    [
      "a constant slope, a symbolic batch",
      { op: "PRelu", inputs: [clearOf([0], [5, 3]), random([3], 2)], constants: [1], batch: 5 },
    ],
  ];
  test.each(slopes)("PRelu: %s", async (_, c) => gradcheck(c));
});

describe("values", () => {
  const x = f64(-800, -2, -0.5, 0, 0.5, 2, 800);
  const inner = [-2, -0.5, 0, 0.5, 2];
  const close = (
    op: string,
    want: (v: number) => number,
    [low, high]: readonly [number, number],
    attributes: Attributes = {},
  ) => {
    const got = valuesOf(op, [x], { attributes, opset: 20 });
    [low, ...inner.map(want), high].forEach((v, i) => {
      expect(got[i], `${op} at ${x.data[i]}`).toBeCloseTo(v, 12);
    });
  };
  test("closed forms, and no overflow at -800 and 800", () => {
    close("Sigmoid", (v) => 1 / (1 + Math.exp(-v)), [0, 1]);
    close("Softplus", (v) => Math.log(1 + Math.exp(v)), [0, 800]);
    close("Elu", (v) => (v > 0 ? v : Math.exp(v) - 1), [-1, 800]);
    close("Celu", (v) => Math.max(0, v) + Math.min(0, 2 * (Math.exp(v / 2) - 1)), [-2, 800], { alpha: float(2) });
    close("Mish", (v) => v * Math.tanh(Math.log(1 + Math.exp(v))), [0, 800]);
    close("HardSwish", (v) => (v * Math.min(6, Math.max(0, v + 3))) / 6, [0, 800]);
    close("Softsign", (v) => v / (1 + Math.abs(v)), [-800 / 801, 800 / 801]);
    close("HardSigmoid", (v) => Math.min(1, Math.max(0, 0.2 * v + 0.5)), [0, 1]);
  });
  test("Gelu agrees with the normal distribution function", () => {
    // Phi(1) = 0.8413447460685429, Phi(-2) = 0.0227501319481792 (Abramowitz & Stegun 1964, table 26.1)
    const got = valuesOf("Gelu", [f64(1, -2, 0)], { opset: 20 });
    expect(got[0]).toBeCloseTo(0.8413447460685429, 14);
    expect(got[1]).toBeCloseTo(-2 * 0.0227501319481792, 14);
    expect(got[2]).toBe(0);
  });
  test("gradients stay finite far out", () => {
    for (const op of ["Sigmoid", "Tanh", "Softplus", "Softsign", "Elu", "Selu", "Celu", "Mish", "Gelu", "HardSwish"]) {
      const far = fromNumbers("float32", [2], [-200, 200]);
      expect(gradientOf(op, [far], {}, 20).flat().every(Number.isFinite), op).toBe(true);
    }
  });
});

describe("kinks follow PyTorch", () => {
  const at = (op: string, values: readonly number[], attributes: Attributes = {}) =>
    gradientOf(op, [f64(...values)], attributes)[0];
  test("Relu at 0: 0", () => expect(at("Relu", [-1, 0, 1])).toEqual([0, 0, 1]));
  test("LeakyRelu at 0: alpha", () =>
    expect(at("LeakyRelu", [-1, 0, 1], { alpha: float(0.25) })).toEqual([0.25, 0.25, 1]));
  test("Elu at 0: alpha", () => expect(at("Elu", [0, 1], { alpha: float(0.5) })).toEqual([0.5, 1]));
  test("ThresholdedRelu at its threshold: 0", () => expect(at("ThresholdedRelu", [1, 1.5])).toEqual([0, 1]));
  test("HardSigmoid where it reaches 0 and 1: 0", () =>
    expect(at("HardSigmoid", [-1, 0, 1], { alpha: float(0.5), beta: float(0.5) })).toEqual([0, 0.5, 0]));
  test("HardSwish at -3 and 3: the middle piece", () => expect(at("HardSwish", [-3, 3])).toEqual([-0.5, 1.5]));
  test("PRelu at 0: the slope", () => expect(gradientOf("PRelu", [f64(0, 1), f64(0.3)])).toEqual([[0.3, 1], [0]]));
});
