import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor } from "../../src/core/tensor.js";
import { int } from "../../src/graph/attributes.js";
import { bools, clearOf, evaluate, f64, i64, valuesOf } from "../support/evaluate.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

const positive = (dims: readonly number[], seed = 1): Tensor => random(dims, seed, 0.3, 2.5);
const named = (c: GradcheckCase, what: string): readonly [string, GradcheckCase] => [`${c.op}: ${what}`, c];

describe("one input: gradients agree with finite differences and values with ONNX Runtime", () => {
  const anywhere = ["Neg", "Exp", "Erf", "Sin", "Cos", "Identity"];
  const offZero = ["Abs", "Sign", "Reciprocal"];
  const above = ["Log", "Sqrt"];
  const steps = ["Floor", "Ceil"];
  const cases = [
    ...anywhere.map((op) => named({ op, inputs: [random([3, 4])] }, "smooth")),
    ...anywhere.map((op) => named({ op, inputs: [random([3, 4])], batch: 3, opset: 13 }, "a symbolic batch")),
    ...offZero.map((op) => named({ op, inputs: [clearOf([0], [3, 4])] }, "away from 0")),
    ...above.map((op) => named({ op, inputs: [positive([3, 4])] }, "above 0")),
    ...steps.map((op) => named({ op, inputs: [clearOf([-3, -2, -1, 0, 1, 2, 3], [3, 4])] }, "between integers")),
    named({ op: "Round", inputs: [clearOf([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], [3, 4])] }, "between halves"),
    ...[...anywhere, ...above, ...offZero].flatMap((op) =>
      [11, 21].map((opset) => named({ op, inputs: [positive([3, 4])], opset }, `opset ${opset}`)),
    ),
    named({ op: "Exp", inputs: [random([])] }, "a scalar"),
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
});

describe("two inputs: gradients are summed over broadcast axes", () => {
  const shapes: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ["equal shapes", [3, 4], [3, 4]],
    ["a vector", [3, 4], [4]],
    ["a column", [3, 4], [3, 1]],
    ["both stretched", [3, 1], [1, 4]],
    ["a scalar first", [], [2, 3]],
    ["lengths 1 kept", [1, 3, 1], [2, 1, 1]],
  ];
  const operators = ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean"];
  const forms = operators.flatMap((op) =>
    [11, 21].map((opset) => named({ op, inputs: [positive([2, 3]), positive([3], 2)], opset }, `opset ${opset}`)),
  );
  const cases = operators.flatMap((op) =>
    shapes.map(([what, x, w]) => named({ op, inputs: [positive(x, 1), positive(w, 2)] }, what)),
  );
  test.each([
    ...cases,
    ...forms,
    named({ op: "Sub", inputs: [random([5, 4]), random([4], 2)], batch: 5 }, "a symbolic batch"),
    named({ op: "Div", inputs: [random([5, 4]), positive([5, 1], 2)], batch: 5 }, "a symbolic batch"),
    named({ op: "Pow", inputs: [random([3, 4]), fromNumbers("float64", [], [2])], constants: [1] }, "a square"),
    named({ op: "Pow", inputs: [random([3, 4]), fromNumbers("float64", [], [3])], constants: [1] }, "a cube"),
    named({ op: "Pow", inputs: [positive([3, 4]), fromNumbers("float64", [], [0.5])], constants: [1] }, "a root"),
    named({ op: "Pow", inputs: [positive([3, 4]), f64(1, 0, -2, 0.7)], constants: [1] }, "many exponents"),
    named({ op: "Pow", inputs: [random([3, 4]), i64(3)] }, "an integer exponent"),
    named({ op: "Pow", inputs: [random([3, 4]), i64(3, 0, 1, 2)] }, "integer exponents"),
    named(
      { op: "Mod", inputs: [random([3, 4], 1, 5.2, 5.8), random([4], 2, 1.5, 1.7)], attributes: { fmod: int(1) } },
      "fmod",
    ),
    named(
      { op: "Mod", inputs: [random([3, 4], 1, -5.8, -5.2), random([4], 2, 1.5, 1.7)], attributes: { fmod: int(1) } },
      "fmod of negative numbers",
    ),
  ])("%s", async (_, c) => gradcheck(c));
});

describe("any number of inputs", () => {
  const three = [random([2, 3]), random([3], 2), random([2, 1], 3)];
  test.each(
    ["Max", "Min", "Sum", "Mean"].flatMap((op) => [
      named({ op, inputs: three }, "three that broadcast"),
      named({ op, inputs: three, opset: 11, batch: 2 }, "opset 11, a symbolic batch"),
      named({ op, inputs: [random([2, 3])] }, "one alone"),
      named({ op, inputs: three, constants: [1] }, "a constant among them"),
    ]),
  )("%s", async (_, c) => gradcheck(c));
});

describe("Clip", () => {
  const bound = (value: number): Tensor => fromNumbers("float64", [], [value]);
  const x = clearOf([-1, 0.5], [3, 4]);
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["both bounds constant", { op: "Clip", inputs: [x, bound(-1), bound(0.5)], constants: [1, 2] }],
    ["both bounds fed", { op: "Clip", inputs: [x, bound(-1), bound(0.5)] }],
    ["only a minimum", { op: "Clip", inputs: [x, bound(-1)] }],
    ["only a maximum", { op: "Clip", inputs: [x, null, bound(0.5)] }],
    ["no bound", { op: "Clip", inputs: [x] }],
    [
      "opset 11, a symbolic batch",
      { op: "Clip", inputs: [x, bound(-1), bound(0.5)], opset: 11, batch: 3, constants: [1, 2] },
    ],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
  test("the gradient passes at both bounds", () => {
    expect(gradientOf("Clip", [f64(-2, -1, 0, 1, 2), bound(-1), bound(1)])).toEqual([[0, 1, 1, 1, 0], [1], [1]]);
  });
});

describe("Where, Cast, CastLike and Dropout", () => {
  const condition = bools([2, 3], 1, 0, 0, 1, 1, 0);
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["Where: equal shapes", { op: "Where", inputs: [condition, random([2, 3]), random([2, 3], 2)] }],
    ["Where: everything broadcasts", { op: "Where", inputs: [bools([3], 1, 0, 1), random([2, 1]), random([], 2)] }],
    [
      "Where: a symbolic batch",
      { op: "Where", inputs: [bools([3], 1, 0, 1), random([5, 3]), random([3], 2)], batch: 5 },
    ],
    ["Where: opset 11", { op: "Where", inputs: [condition, random([2, 3]), random([2, 3], 2)], opset: 11 }],
    ["Dropout: no mask", { op: "Dropout", inputs: [random([2, 3])] }],
    [
      "Dropout: ratio as an input",
      { op: "Dropout", inputs: [random([2, 3]), fromNumbers("float64", [], [0.5])], constants: [1] },
    ],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));

  test("Cast drops fractions towards integers and makes booleans of what is not 0", () => {
    const x = f64(-1.7, -0.5, 0, 0.4, 2.9);
    expect(valuesOf("Cast", [x], { attributes: { to: int(7) } })).toEqual([-1, 0, 0, 0, 2]);
    expect(valuesOf("Cast", [x], { attributes: { to: int(9) } })).toEqual([1, 1, 0, 1, 1]);
    expect(valuesOf("Cast", [x], { attributes: { to: int(1) } })).toEqual([...Float32Array.from(x.data)]);
  });
  test("the gradient of Cast comes back in the type of the input", () => {
    const x = fromNumbers("float32", [3], [0.5, -1, 2]);
    expect(gradientOf("Cast", [x], { to: int(11) })).toEqual([[1, 1, 1]]);
  });
  test("CastLike takes the type of its second input", () => {
    const [y] = evaluate("CastLike", [f64(1.5, -2.5), i64(0)]);
    expect([y?.dtype, ...(y?.data ?? [])]).toEqual(["int64", 1n, -2n]);
  });
  test("Cast to a type without numbers is refused by name", () => {
    expect(() => evaluate("Cast", [f64(1)], { attributes: { to: int(8) } })).toThrow(
      /attribute "to" is 8.*\[model\/dtype\]/,
    );
  });
  test("Dropout keeps everything, and its mask says so", () => {
    const outputs = evaluate("Dropout", [f64(3, -4)], { outputs: 2 });
    expect(outputs.map((t) => [t.dtype, ...t.data])).toEqual([
      ["float64", 3, -4],
      ["bool", 1, 1],
    ]);
  });
  test("Dropout in training mode is refused", () => {
    const training = [f64(1), fromNumbers("float32", [], [0.5]), bools([], 1)];
    expect(() => evaluate("Dropout", training)).toThrow(/training_mode.*\[model\/attribute\]/);
    // In training mode with a ratio of 0, as torchvision's Swin is exported.
    expect(valuesOf("Dropout", [f64(1, 2), fromNumbers("float32", [], [0]), bools([], 1)])).toEqual([1, 2]);
    expect(valuesOf("Dropout", [f64(1), fromNumbers("float32", [], [0.5]), bools([], 0)])).toEqual([1]);
  });
});

describe("kinks and ties follow PyTorch", () => {
  test("Abs at 0: 0", () => expect(gradientOf("Abs", [f64(-1, 0, 1)])).toEqual([[-1, 0, 1]]));
  test("Max and Min: inputs that tie share the gradient", () => {
    expect(gradientOf("Max", [f64(1, 2, 3), f64(2, 2, 1)])).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    expect(gradientOf("Min", [f64(1, 2), f64(1, 3), f64(1, 2)])).toEqual([
      [1 / 3, 0.5],
      [1 / 3, 0],
      [1 / 3, 0.5],
    ]);
  });
  test("Pow: exponent 0 gives 0, and base 0 gives the exponent 0", () => {
    const zeroBase = gradientOf("Pow", [f64(0, 0, 2), f64(0, 2, 1)]);
    expect(zeroBase[0]).toEqual([0, 0, 1]);
    expect(zeroBase[1]).toEqual([0, 0, 2 * Math.log(2)]);
  });
});

describe("values of kernels", () => {
  test("Erf agrees with published values to 1e-15", () => {
    // Abramowitz & Stegun 1964, table 7.1, and NIST DLMF 7.23; the last two by symmetry and limit.
    const [x, want] = [
      [0, 0.5, 1, 2, 3, 4, -1, 10],
      [
        0, 0.5204998778130465, 0.8427007929497149, 0.9953222650189527, 0.9999779095030014, 0.9999999845827421,
        -0.8427007929497149, 1,
      ],
    ];
    const got = valuesOf("Erf", [f64(...x)]);
    got.forEach((v, i) => {
      expect(Math.abs(v - want?.[i])).toBeLessThanOrEqual(1e-15);
    });
  });
  test("Round takes halves to the even integer", () => {
    expect(valuesOf("Round", [f64(0.5, 1.5, 2.5, -1.5, -2.5, 0.49, 3.7)])).toEqual([0, 2, 2, -2, -2, 0, 4]);
  });
  test("Div of integers drops the fraction", () => {
    expect(valuesOf("Div", [i64(7, -7, 6), i64(2, 2, 3)])).toEqual([3, -3, 2]);
  });
  test("Mod follows the divisor's sign, fmod the dividend's", () => {
    // ONNX Mod-13, examples mod_mixed_sign_int64 and mod_int64_fmod
    const [x, w] = [i64(-4, 7, 5, 4, -7, 8), i64(2, -3, 8, -2, 3, 5)];
    expect(valuesOf("Mod", [x, w]).map((v) => v + 0)).toEqual([0, -2, 5, 0, 2, 3]);
    expect(valuesOf("Mod", [x, w], { attributes: { fmod: int(1) } }).map((v) => v + 0)).toEqual([0, 1, 5, 0, -1, 3]);
  });
  test("Sign, Floor, Ceil, Reciprocal", () => {
    expect(valuesOf("Sign", [f64(-3, 0, 2)])).toEqual([-1, 0, 1]);
    expect(valuesOf("Floor", [f64(-1.5, 1.5)])).toEqual([-2, 1]);
    expect(valuesOf("Ceil", [f64(-1.5, 1.2)])).toEqual([-1, 2]);
    expect(valuesOf("Reciprocal", [f64(-2, 4)])).toEqual([-0.5, 0.25]);
  });
});
