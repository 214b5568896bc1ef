import { describe, expect, test } from "vitest";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { constantNode, evaluate, f64, valuesOf } from "../support/evaluate.js";
import { failure } from "../support/failure.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";
import { gradientOf } from "../support/gradient-of.js";

type Case = readonly [string, GradcheckCase];
const of = (
  op: string,
  x: readonly number[],
  attributes: Attributes = {},
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({ op, inputs: [random(x)], attributes, ...more });

describe("LRN: value and gradient", () => {
  const local = (size: number, more: Attributes = {}): Attributes => ({ size: int(size), alpha: float(0.7), ...more });
  test.each<Case>([
    ["an odd number of channels", of("LRN", [2, 5, 2, 3], local(3))],
    [
      "an even number of channels: one more after than before",
      of("LRN", [1, 5, 2, 2], local(4, { bias: float(2) }), { skipOrt: "its kernel takes odd sizes only" }),
    ],
    ["more channels than there are", of("LRN", [2, 3, 2, 2], local(9, { beta: float(0.5) }), { opset: 11 })],
    ["itself alone", of("LRN", [2, 3, 2, 2], local(1))],
    ["a symbolic batch", of("LRN", [5, 4, 2, 2], local(3), { batch: 5 })],
  ])("%s", async (_, c) => gradcheck(c));
  test("is x / (bias + alpha / size * sum of squares)^beta", () => {
    const x = fromNumbers("float64", [1, 3, 1, 1], [1, 2, 3]);
    const attributes = { size: int(3), alpha: float(3), beta: float(1), bias: float(1) };
    expect(valuesOf("LRN", [x], { attributes })).toEqual([1 / 6, 2 / 15, 3 / 14]);
  });
  test("a size of 0 is refused", () => {
    expect(() => evaluate("LRN", [random([1, 2, 1, 1])])).toThrow(
      failure("shape/mismatch", 'LRN "y": size is 0, expected at least 1 channel. Export the model again.'),
    );
  });
});

describe("LpNormalization: value and gradient", () => {
  const norm = (p: number, more: Attributes = {}): Attributes => ({ p: int(p), ...more });
  test.each<Case>([
    ["Euclidean, by default along the last axis", of("LpNormalization", [3, 4])],
    ["Euclidean, along a middle axis, opset 11", of("LpNormalization", [2, 3, 2], { axis: int(1) }, { opset: 11 })],
    ["Euclidean, opset 18", of("LpNormalization", [2, 3, 2], { axis: int(0) }, { opset: 18 })],
    ["sum of absolute values", of("LpNormalization", [3, 4], norm(1))],
    ["sum of absolute values, opset 18", of("LpNormalization", [3, 4], norm(1, { axis: int(-2) }), { opset: 18 })],
    ["a symbolic batch", of("LpNormalization", [5, 4], norm(2), { batch: 5 })],
  ])("%s", async (_, c) => gradcheck(c));
  test("a line of zeros has gradient 0", () => {
    const x = fromNumbers("float32", [2, 2], [0, 0, 3, 4]);
    expect(valuesOf("LpNormalization", [x])).toEqual([0, 0, expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
    expect(gradientOf("LpNormalization", [x])[0]?.slice(0, 2)).toEqual([0, 0]);
  });
  test("another order is refused", () => {
    expect(() => evaluate("LpNormalization", [f64(1)], { attributes: { p: int(3) } })).toThrow(
      failure("shape/mismatch", 'LpNormalization "y": p is 3, expected 1 or 2. Export the model again.'),
    );
  });
});

describe("MeanVarianceNormalization: value and gradient", () => {
  const op = "MeanVarianceNormalization";
  test.each<Case>([
    ["over batch and image by default", of(op, [2, 3, 4, 2])],
    ["over the image, opset 11", of(op, [2, 3, 4, 2], { axes: ints([2, 3]) }, { opset: 11 })],
    [
      "over all but the batch, opset 18, a symbolic batch",
      of(op, [5, 3, 4, 2], { axes: ints([1, 2, 3]) }, { opset: 18, batch: 5 }),
    ],
  ])("%s", async (_, c) => gradcheck(c));
  test("a constant stays 0", () => {
    const x = fromNumbers("float64", [1, 1, 1, 3], [2, 2, 2]);
    expect(valuesOf(op, [x])).toEqual([0, 0, 0]);
    expect(gradientOf(op, [x])[0]?.every(Number.isFinite)).toBe(true);
  });
  test("knows whether it mixes the samples of a batch", () => {
    const mixes = (attributes: Attributes) => {
      const { nodes, opset } = constantNode(op, [random([2, 1, 2, 2])], { attributes });
      const node = nodes[0];
      return opTable.get(node).mixesBatch?.({ node, opset });
    };
    expect([mixes({}), mixes({ axes: ints([2, 3]) })]).toEqual([true, false]);
  });
});

describe("LpPool and GlobalLpPool: value and gradient", () => {
  const square = (k: number, s: number, more: Attributes = {}): Attributes => ({
    kernel_shape: ints([k, k]),
    strides: ints([s, s]),
    ...more,
  });
  test.each<Case>([
    ["tiles", of("LpPool", [2, 3, 6, 4], square(2, 2))],
    ["tiles with a rest, p 1", of("LpPool", [1, 2, 7, 5], square(2, 2, { p: int(1) }))],
    ["3x3 stride 2, padded, p 3", of("LpPool", [2, 2, 7, 8], square(3, 2, { p: int(3), pads: ints([1, 1, 1, 1]) }))],
    ["overlapping", of("LpPool", [1, 2, 5, 4], square(3, 1), { opset: 11 })],
    ["auto_pad SAME_UPPER", of("LpPool", [1, 2, 7, 6], square(3, 2, { auto_pad: string("SAME_UPPER") }))],
    ["one spatial axis", of("LpPool", [2, 2, 9], { kernel_shape: ints([3]), strides: ints([2]) })],
    ["dilations", of("LpPool", [1, 2, 9, 8], square(2, 1, { dilations: ints([2, 3]) }), { opset: 18 })],
    ["ceil_mode", of("LpPool", [1, 2, 7, 8], square(3, 2, { ceil_mode: int(1) }), { opset: 18 })],
    ["a symbolic batch", of("LpPool", [5, 2, 6, 6], square(3, 2), { batch: 5 })],
    ["all positions", of("GlobalLpPool", [2, 3, 4, 5])],
    [
      "all positions, p 1, a symbolic batch, opset 11",
      of("GlobalLpPool", [5, 3, 2, 2], { p: int(1) }, { batch: 5, opset: 11 }),
    ],
    ["all positions, p 3", of("GlobalLpPool", [2, 3, 2, 2], { p: int(3) })],
  ])("%s", async (_, c) => gradcheck(c));
  test("windows of zeros have gradient 0, as in torch.nn.functional.lp_pool2d", () => {
    const x = fromNumbers("float32", [1, 1, 2, 4], [0, 0, 3, 0, 0, 0, 0, 4]);
    expect(gradientOf("LpPool", [x], square(2, 2))[0]).toEqual([0, 0, Math.fround(0.6), 0, 0, 0, 0, Math.fround(0.8)]);
    expect(gradientOf("GlobalLpPool", [fromNumbers("float32", [1, 1, 1, 2], [0, 0])])[0]).toEqual([0, 0]);
  });
});

test("ReduceL2 of zeros has gradient 0, however large the gradient after it", () => {
  const b = new GraphBuilder(emptyGraph("g", 17));
  const x = b.input("x", "float32", [2]);
  const loss = b.op("Mul", [b.op("ReduceL2", [x]), b.scalar(1e3)]);
  b.output(loss, "float32", undefined);
  const request = { loss, wrt: [x], names: ["dx"], keep: [] };
  const graph = gradientGraph(inferShapes(b.build(), opTable), opTable, request);
  const { dx } = runReference(graph, { x: fromNumbers("float32", [2], [0, 0]) });
  expect([...(dx?.data ?? [])]).toEqual([0, 0]);
});
