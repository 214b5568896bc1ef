import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferContext, inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { constantNode, evaluate, f64, valuesOf } from "../support/evaluate.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const positive = (dims: readonly number[], seed: number): Tensor => random(dims, seed, 0.4, 2);

const ORT_WANTS_THREE = "ONNX Runtime wants all three outputs of a training BatchNormalization";

describe("BatchNormalization", () => {
  const parameters = [random([3], 2), random([3], 3), random([3], 4), positive([3], 5)];
  const norm = (x: readonly number[], rest: Partial<GradcheckCase> = {}): GradcheckCase => ({
    op: "BatchNormalization",
    inputs: [random(x), ...parameters],
    ...rest,
  });
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["all five inputs", norm([2, 3, 4, 2])],
    ["constant parameters", norm([2, 3, 4, 2], { constants: [1, 2, 3, 4] })],
    ["constant parameters, a symbolic batch", norm([5, 3, 4, 2], { constants: [1, 2, 3, 4], batch: 5 })],
    ["constant statistics", norm([2, 3, 4, 2], { constants: [3, 4], batch: 2 })],
    ["features without pixels", norm([4, 3])],
    ["one spatial axis, a large epsilon", norm([2, 3, 5], { attributes: { epsilon: float(0.25) } })],
    ["opset 11", norm([2, 3, 4, 2], { opset: 11 })],
    ["opset 13, constants", norm([2, 3, 4, 2], { opset: 13, constants: [1, 2, 3, 4] })],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));

  test("is (x - mean) / sqrt(var + epsilon) * scale + B", () => {
    const y = valuesOf(
      "BatchNormalization",
      [fromNumbers("float64", [1, 2, 1], [3, 5]), f64(2, 1), f64(1, 0), f64(1, 1), f64(3, 15)],
      {
        attributes: { epsilon: float(1) },
      },
    );
    expect(y).toEqual([3, 1]);
  });
  test("constant parameters make it an affine map per channel", () => {
    const graph = constantNode("BatchNormalization", [random([2, 3, 2]), ...parameters]);
    const node = graph.nodes[0];
    const affine = node && opTable.get(node).asAffine?.(inferContext(graph, node, graph.types));
    const y = valuesOf("BatchNormalization", [random([2, 3, 2]), ...parameters]);
    toNumbers(random([2, 3, 2])).forEach((v, i) => {
      const c = Math.floor(i / 2) % 3;
      expect(y[i]).toBeCloseTo(v * (affine?.scale[c] as number) + (affine?.shift[c] as number), 13);
    });
  });
  test("parameters that are fed make no constant map", () => {
    const b = new GraphBuilder(emptyGraph("g", 17));
    b.op("BatchNormalization", [
      b.input("x", "float32", ["n", 3]),
      ...["s", "b", "m", "v"].map((n) => b.input(n, "float32", [3])),
    ]);
    const graph = inferShapes(b.build(), opTable);
    const node = graph.nodes[0];
    expect(node && opTable.get(node).asAffine?.(inferContext(graph, node, graph.types))).toBeUndefined();
  });
  const training = (x: readonly number[], rest: Partial<GradcheckCase> = {}): GradcheckCase =>
    norm(x, { attributes: { training_mode: int(1), epsilon: float(0.01) }, constants: [3, 4], ...rest });
  test.each([
    ["training", training([4, 3, 2, 2])],
    ["training, a symbolic batch", training([5, 3, 2, 2], { batch: 5 })],
    ["training, features without pixels", training([6, 3])],
    ["training, statistics fed (they do not reach Y)", training([4, 3, 2], { constants: [] })],
    ["training, constant scale", training([4, 3, 2], { constants: [1, 2, 3, 4] })],
  ] as const)("%s", async (_, c) => gradcheck({ ...c, skipOrt: ORT_WANTS_THREE }));
  test("training mode normalizes by the batch and averages its statistics into the running ones", () => {
    const results = evaluate(
      "BatchNormalization",
      [fromNumbers("float64", [2, 2, 1], [1, 10, 3, 30]), f64(1, 1), f64(0, 5), f64(0, 0), f64(1, 1)],
      { attributes: { training_mode: int(1), epsilon: float(0), momentum: float(0.5) }, outputs: 3 },
    );
    expect(results.map((t) => [...toNumbers(t)])).toEqual([
      [-1, 4, 1, 6],
      [1, 10],
      [1, 50.5],
    ]);
  });
  test("parameters of another length are refused", () => {
    expect(() => evaluate("BatchNormalization", [random([2, 4, 2]), ...parameters])).toThrow(
      /input 1 has shape \[3\], expected \[4\].*\[shape\/mismatch\]/,
    );
  });
});

describe("LayerNormalization", () => {
  const norm = (
    x: readonly number[],
    scale: readonly number[],
    attributes: Attributes = {},
    rest: Partial<GradcheckCase> = {},
  ): GradcheckCase => ({
    op: "LayerNormalization",
    inputs: [random(x), random(scale, 2), random(scale, 3)],
    attributes,
    ...rest,
  });
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["the last axis", norm([2, 3, 4], [4])],
    ["the last two axes", norm([2, 3, 4], [3, 4], { axis: int(1) })],
    ["a negative axis and an epsilon", norm([2, 3, 4], [3, 4], { axis: int(-2), epsilon: float(0.1) })],
    ["no B", { op: "LayerNormalization", inputs: [random([2, 5]), random([5], 2)] }],
    ["a symbolic batch", norm([5, 3, 4], [4], {}, { batch: 5 })],
    ["a normalized axis of unknown length", norm([5], [5], { axis: int(0) }, { batch: 5 })],
    ["a symbolic batch, opset 18, constants", norm([5, 3, 4], [4], {}, { batch: 5, opset: 18, constants: [1, 2] })],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));

  test("gives mean 0 and variance 1, the mean and 1/std", () => {
    const x = fromNumbers("float64", [1, 4], [1, 3, 5, 7]);
    const outputs = evaluate("LayerNormalization", [x, f64(1, 1, 1, 1)], {
      attributes: { epsilon: float(0) },
      outputs: 3,
    });
    const std = Math.sqrt(5);
    expect(outputs.map((t) => t.dims)).toEqual([
      [1, 4],
      [1, 1],
      [1, 1],
    ]);
    outputs
      .flatMap((t) => [...toNumbers(t)])
      .forEach((v, i) => {
        expect(v).toBeCloseTo([-3 / std, -1 / std, 1 / std, 3 / std, 4, 1 / std][i], 15);
      });
  });
  test("a loss that uses Mean is refused", async () => {
    const c: GradcheckCase = { op: "LayerNormalization", inputs: [random([2, 3]), random([3], 2)], outputs: 2 };
    await expect(gradcheck(c)).rejects.toThrow(/uses the outputs Mean or InvStdDev.*\[gradient\/none\]/);
  });
});

describe("InstanceNormalization and GroupNormalization", () => {
  const norm = (
    op: string,
    x: readonly number[],
    length: number,
    rest: Partial<GradcheckCase> = {},
  ): GradcheckCase => ({
    op,
    inputs: [random(x), random([length], 2), random([length], 3)],
    ...rest,
  });
  const cases: readonly (readonly [string, GradcheckCase])[] = [
    ["instances", norm("InstanceNormalization", [2, 3, 4, 2], 3)],
    [
      "instances of one axis, an epsilon",
      norm("InstanceNormalization", [2, 3, 5], 3, { attributes: { epsilon: float(0.1) } }),
    ],
    ["instances, a symbolic batch, opset 11", norm("InstanceNormalization", [5, 3, 4, 2], 3, { batch: 5, opset: 11 })],
    ["instances, opset 18", norm("InstanceNormalization", [2, 3, 4, 2], 3, { opset: 18 })],
    [
      "groups, scale per channel (opset 21)",
      norm("GroupNormalization", [2, 4, 3, 2], 4, { attributes: { num_groups: int(2) }, opset: 21 }),
    ],
    [
      "groups, scale per group (opset 18)",
      norm("GroupNormalization", [2, 4, 3, 2], 2, { attributes: { num_groups: int(2) }, opset: 18 }),
    ],
    [
      "groups, a symbolic batch",
      norm("GroupNormalization", [5, 6, 3], 6, { attributes: { num_groups: int(3) }, opset: 21, batch: 5 }),
    ],
  ];
  test.each(cases)("%s", async (_, c) => gradcheck(c));
  test("one group spans all channels; as many groups as channels are instances", () => {
    const [x, ones, zeros] = [random([2, 4, 5]), f64(1, 1, 1, 1), f64(0, 0, 0, 0)];
    const perChannel = valuesOf("GroupNormalization", [x, ones, zeros], {
      attributes: { num_groups: int(4) },
      opset: 21,
    });
    expect(perChannel).toEqual(valuesOf("InstanceNormalization", [x, ones, zeros]));
    const whole = valuesOf("GroupNormalization", [x, ones, zeros], { attributes: { num_groups: int(1) }, opset: 21 });
    const layer = valuesOf("LayerNormalization", [x, fromNumbers("float64", [4, 5], new Float64Array(20).fill(1))], {
      attributes: { axis: int(1) },
    });
    whole.forEach((v, i) => {
      expect(v).toBeCloseTo(layer[i], 14);
    });
  });
  test("channels that the groups do not divide are refused", () => {
    const inputs = [random([2, 4, 3]), random([4]), random([4])];
    expect(() => evaluate("GroupNormalization", inputs, { attributes: { num_groups: int(3) }, opset: 21 })).toThrow(
      /4 channels, expected a multiple of num_groups, 3.*\[shape\/mismatch\]/,
    );
  });
  test("a number of groups below 1 is refused", () => {
    const inputs = [random([2, 4, 3]), random([4]), random([4])];
    expect(() => evaluate("GroupNormalization", inputs, { attributes: { num_groups: int(-1) }, opset: 21 })).toThrow(
      /num_groups" is -1, expected at least 1.*\[model\/attribute\]/,
    );
  });
  test("scales and shifts that are no vectors over the channels are refused", () => {
    const x = random([2, 4, 3]);
    const group = { attributes: { num_groups: int(2) }, opset: 21 };
    expect(() => evaluate("GroupNormalization", [x, random([3]), random([4])], group)).toThrow(
      /input 1 has shape \[3\], expected \[4\] or \[2\].*\[shape\/mismatch\]/,
    );
    expect(() => evaluate("InstanceNormalization", [x, random([4]), random([1, 4])])).toThrow(
      /input 2 has shape \[1,4\], expected \[4\].*\[shape\/mismatch\]/,
    );
  });
});
