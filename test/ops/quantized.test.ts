/** @file Quantized operators: values beside ONNX Runtime, and the straight-through gradient beside closed forms and finite
 *  differences of the clipped function. */
import { describe, expect, test } from "vitest";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import type { DType } from "../../src/core/dtype.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { macsOf, nodeMacs } from "../../src/graph/cost.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";
import { random } from "../support/gradcheck.js";

const of = (dtype: DType, dims: readonly number[], values: ArrayLike<number>): Tensor =>
  fromNumbers(dtype, dims, values);
const f32 = (...values: readonly number[]): Tensor => of("float32", values.length === 1 ? [] : [values.length], values);
const u8 = (...values: readonly number[]): Tensor => of("uint8", values.length === 1 ? [] : [values.length], values);
const i8 = (...values: readonly number[]): Tensor => of("int8", values.length === 1 ? [] : [values.length], values);
/** Random integers of a type. */
const bytes = (dtype: "uint8" | "int8", dims: readonly number[], seed: number): Tensor =>
  of(
    dtype,
    dims,
    toNumbers(random(dims, seed, 0, 1)).map((v) => Math.floor(256 * v) - (dtype === "int8" ? 128 : 0)),
  );

interface OneNode {
  readonly op: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly attributes?: Attributes;
  readonly domain?: string;
  readonly opset?: number;
  readonly outputs?: number;
  /** Which inputs are fed. ONNX Runtime needs constants for the others. */
  readonly fed?: readonly number[];
}

function drawn({ op, inputs, attributes = {}, domain = "", opset = 17, outputs = 1, fed = [0] }: OneNode): Graph {
  const b = new GraphBuilder(emptyGraph(op, opset));
  const names = inputs.map((t, i) =>
    !t ? "" : fed.includes(i) ? b.input(`x${i}`, t.dtype, t.dims) : b.constant(t, `c${i}`),
  );
  const made = Array.from({ length: outputs }, (_, i) => b.fresh(`y${i}`));
  b.append({ opType: op, domain, name: "", inputs: names, outputs: made, attributes });
  const types = inferShapes(b.build(), opTable).types;
  for (const name of made) b.output(name, types.get(name)?.dtype ?? "float32", types.get(name)?.shape);
  return inferShapes(b.build(), opTable);
}

/** Both backends give the same types and shapes, and values at most `steps` apart. */
async function agree(c: OneNode, steps = 0): Promise<Tensor> {
  const graph = drawn(c);
  const feeds = Object.fromEntries((c.fed ?? [0]).map((i) => [`x${i}`, c.inputs[i] as Tensor]));
  const session = await ortNode({ threads: 1 }).compile(graph);
  const theirs = await session.run(feeds);
  await session.release();
  const ours = runReference(graph, feeds);
  for (const { name } of graph.outputs) {
    expect([ours[name].dtype, ...ours[name].dims]).toEqual([theirs[name].dtype, ...theirs[name].dims]);
    const wanted = toNumbers(theirs[name]);
    const worst = toNumbers(ours[name]).reduce((m, v, i) => Math.max(m, Math.abs(v - wanted[i])), 0);
    expect(worst, `${c.op}: largest difference of ${name}`).toBeLessThanOrEqual(steps);
  }
  return ours[graph.outputs[0].name];
}

const PADS = { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) };
const x = bytes("uint8", [2, 3, 5, 5], 1);
const w = bytes("int8", [4, 3, 3, 3], 2);
const perChannel = f32(0.01, 0.02, 0.03, 0.04);
const bias = of("int32", [4], [100, -2000, 30000, 0]);

describe("integers agree with ONNX Runtime, exactly", () => {
  test.each<readonly [string, OneNode]>([
    ["ConvInteger", { op: "ConvInteger", inputs: [x, w, u8(7), i8(0)], attributes: PADS }],
    [
      "ConvInteger without zero points, grouped",
      {
        op: "ConvInteger",
        inputs: [x, bytes("uint8", [3, 1, 2, 2], 3)],
        attributes: { group: int(3), strides: ints([2, 2]) },
      },
    ],
    [
      "ConvInteger of opset 10 attributes, dilated",
      { op: "ConvInteger", inputs: [x, w, u8(128)], attributes: { dilations: ints([2, 2]) }, opset: 11 },
    ],
    [
      "MatMulInteger",
      { op: "MatMulInteger", inputs: [bytes("uint8", [2, 3, 4], 4), bytes("int8", [4, 5], 5), u8(13), i8(-3)] },
    ],
    [
      "MatMulInteger with zero points per column",
      { op: "MatMulInteger", inputs: [bytes("uint8", [3, 4], 4), bytes("int8", [4, 3], 5), u8(13), i8(1, 0, -2)] },
    ],
    [
      "MatMulInteger without zero points",
      { op: "MatMulInteger", inputs: [bytes("int8", [3, 4], 4), bytes("int8", [4, 3], 5)] },
    ],
    [
      "DynamicQuantizeLinear",
      { op: "DynamicQuantizeLinear", inputs: [of("float32", [6], [0, 2, -3, -2.5, 1.34, 0.5])], outputs: 3 },
    ],
    [
      "DynamicQuantizeLinear of positive numbers",
      {
        op: "DynamicQuantizeLinear",
        inputs: [of("float32", [3, 4], [1, 2.1, 1.3, 2.5, 3.34, 4, 1.5, 2.6, 3.9, 4, 3, 2.345])],
        outputs: 3,
      },
    ],
    [
      "DynamicQuantizeLinear of negative numbers",
      { op: "DynamicQuantizeLinear", inputs: [of("float32", [6], [-1, -2.1, -1.3, -2.5, -3.34, -4])], outputs: 3 },
    ],
  ])("%s", async (_, c) => {
    await agree(c);
  });

  test("DynamicQuantizeLinear gives the values of the specification", async () => {
    const y = await agree({
      op: "DynamicQuantizeLinear",
      inputs: [of("float32", [6], [0, 2, -3, -2.5, 1.34, 0.5])],
      outputs: 3,
    });
    expect([...y.data]).toEqual([153, 255, 0, 26, 221, 179]);
  });
});

describe("quantized results are at most one step from ONNX Runtime's", () => {
  const pair = (dtype: "uint8" | "int8", dims: readonly number[], seed: number, scale: number, zero: number) => [
    bytes(dtype, dims, seed),
    f32(scale),
    of(dtype, [], [zero]),
  ];
  const microsoft = "com.microsoft";
  test.each<readonly [string, OneNode]>([
    [
      "QLinearConv",
      { op: "QLinearConv", inputs: [x, f32(0.02), u8(120), w, f32(0.03), i8(0), f32(0.9), u8(100)], attributes: PADS },
    ],
    [
      "QLinearConv per channel with a bias",
      {
        op: "QLinearConv",
        inputs: [x, f32(0.02), u8(120), w, perChannel, i8(0, 0, 0, 0), f32(0.9), u8(100), bias],
        attributes: PADS,
      },
    ],
    [
      "QLinearConv of int8, opset 11",
      {
        op: "QLinearConv",
        inputs: [
          bytes("int8", [1, 3, 4, 4], 9),
          f32(0.02),
          i8(-5),
          w,
          perChannel,
          i8(0, 0, 0, 0),
          f32(0.9),
          i8(3),
          bias,
        ],
        attributes: PADS,
        opset: 11,
      },
    ],
    [
      "QLinearMatMul",
      {
        op: "QLinearMatMul",
        inputs: [...pair("uint8", [2, 3, 4], 4, 0.02, 113), ...pair("int8", [4, 5], 5, 0.01, 2), f32(0.05), u8(118)],
      },
    ],
    [
      "QLinearMatMul per column",
      {
        op: "QLinearMatMul",
        inputs: [
          ...pair("uint8", [3, 4], 4, 0.02, 113),
          bytes("int8", [4, 3], 5),
          f32(0.01, 0.02, 0.03),
          i8(0, 1, -1),
          f32(0.05),
          u8(118),
        ],
      },
    ],
    [
      "QGemm",
      {
        op: "QGemm",
        domain: microsoft,
        inputs: [
          ...pair("uint8", [3, 4], 4, 0.02, 113),
          bytes("int8", [5, 4], 5),
          f32(0.01),
          i8(0),
          of("int32", [5], [1, -200, 30, 0, 9]),
          f32(0.05),
          u8(118),
        ],
        attributes: { transB: int(1) },
      },
    ],
    [
      "QGemm per column",
      {
        op: "QGemm",
        domain: microsoft,
        inputs: [
          ...pair("uint8", [3, 4], 4, 0.02, 113),
          bytes("int8", [4, 3], 5),
          f32(0.01, 0.02, 0.03),
          i8(0, 0, 0),
          of("int32", [3], [1, -200, 30]),
          f32(0.05),
          u8(118),
        ],
      },
    ],
    [
      "QLinearAdd",
      {
        op: "QLinearAdd",
        domain: microsoft,
        inputs: [...pair("uint8", [2, 3], 4, 0.02, 113), ...pair("uint8", [3], 5, 0.01, 2), f32(0.03), u8(100)],
      },
    ],
    [
      "QLinearMul",
      {
        op: "QLinearMul",
        domain: microsoft,
        inputs: [...pair("int8", [2, 3], 4, 0.02, 13), ...pair("int8", [2, 3], 5, 0.01, 2), f32(0.03), i8(10)],
      },
    ],
    [
      "QLinearSigmoid",
      {
        op: "QLinearSigmoid",
        domain: microsoft,
        inputs: [...pair("uint8", [2, 9], 4, 0.05, 113), f32(1 / 256), u8(0)],
      },
    ],
    [
      "QLinearLeakyRelu",
      {
        op: "QLinearLeakyRelu",
        domain: microsoft,
        inputs: [...pair("uint8", [2, 9], 4, 0.05, 113), f32(0.04), u8(20)],
        attributes: { alpha: float(0.1) },
      },
    ],
    [
      "QLinearAveragePool",
      {
        op: "QLinearAveragePool",
        domain: microsoft,
        inputs: [...pair("uint8", [1, 2, 5, 5], 4, 0.05, 113), f32(0.04), u8(120)],
        attributes: { kernel_shape: ints([2, 2]) },
      },
    ],
    [
      "QLinearGlobalAveragePool",
      {
        op: "QLinearGlobalAveragePool",
        domain: microsoft,
        inputs: [...pair("uint8", [2, 3, 4, 4], 4, 0.05, 113), f32(0.02), u8(120)],
        attributes: { channels_last: int(0) },
      },
    ],
    [
      "QLinearConcat",
      {
        op: "QLinearConcat",
        domain: microsoft,
        inputs: [f32(0.05), u8(110), ...pair("uint8", [2, 3], 4, 0.02, 113), ...pair("uint8", [2, 1], 5, 0.04, 2)],
        attributes: { axis: int(1) },
        fed: [2, 5],
      },
    ],
    [
      "QLinearSoftmax",
      {
        op: "QLinearSoftmax",
        domain: microsoft,
        inputs: [...pair("uint8", [3, 7], 4, 0.02, 113), f32(1 / 256), u8(0)],
        attributes: { axis: int(-1), opset: int(13) },
      },
    ],
    [
      "QuantizeLinear of Microsoft's domain, to 16 bits",
      {
        op: "QuantizeLinear",
        domain: microsoft,
        inputs: [random([4], 3), f32(0.001), of("uint16", [], [500])].map((t, i) =>
          i === 0 ? of("float32", [4], toNumbers(t)) : t,
        ),
      },
    ],
    [
      "QuantizeLinear to int16",
      {
        op: "QuantizeLinear",
        opset: 21,
        inputs: [of("float32", [3], [-40, 0.0004, 40]), f32(0.001), of("int16", [], [5])],
      },
    ],
    [
      "QuantizeLinear to uint16 by output_dtype",
      {
        op: "QuantizeLinear",
        opset: 21,
        inputs: [of("float32", [3], [-40, 0.0004, 40]), f32(0.001)],
        attributes: { output_dtype: int(4) },
      },
    ],
    [
      "DequantizeLinear of int32",
      { op: "DequantizeLinear", opset: 11, inputs: [of("int32", [3], [-70000, 0, 70000]), f32(0.001)] },
    ],
  ])("%s", async (_, c) => {
    await agree(c, 1);
  });

  test("QGemm without a scale of the result gives floats", async () => {
    const inputs = [
      ...pair("uint8", [3, 4], 4, 0.02, 113),
      bytes("int8", [4, 3], 5),
      f32(0.01),
      i8(0),
      of("int32", [3], [1, -200, 30]),
    ];
    await agree({ op: "QGemm", domain: microsoft, inputs }, 1e-5);
  });
});

test("products of integers cost what products of floats cost", () => {
  const conv = drawn({
    op: "QLinearConv",
    inputs: [x, f32(0.02), u8(120), w, f32(0.03), i8(0), f32(0.9), u8(100)],
    attributes: PADS,
  });
  expect(macsOf(conv, ["y0"], nodeMacs(conv, opTable))).toBe(2 * 4 * 25 * 27);
  const product = drawn({ op: "MatMulInteger", inputs: [bytes("uint8", [3, 4], 4), bytes("int8", [4, 5], 5)] });
  expect(macsOf(product, ["y0"], nodeMacs(product, opTable))).toBe(3 * 4 * 5);
});

describe("forms that are refused", () => {
  test("a scale per row", () => {
    const inputs = [
      bytes("uint8", [3, 4], 4),
      f32(1, 2, 3),
      u8(0, 0, 0),
      bytes("int8", [4, 5], 5),
      f32(1),
      i8(0),
      f32(1),
      u8(0),
    ];
    expect(() => drawn({ op: "QLinearMatMul", inputs })).toThrow(
      failure(
        "shape/mismatch",
        'QLinearMatMul "y0": input 1 has shape [3], expected one scale. Quantize the model per tensor.',
      ),
    );
  });
  test("channels last", () => {
    const inputs = [bytes("uint8", [1, 4, 4, 3], 4), f32(1), u8(0), f32(1), u8(0)];
    expect(() =>
      drawn({ op: "QLinearGlobalAveragePool", domain: "com.microsoft", inputs, attributes: { channels_last: int(1) } }),
    ).toThrow("its channels come last");
  });
  test("an operator of Microsoft's domain that dynn does not have, by name and domain", () => {
    const inputs = [bytes("uint8", [1, 3], 4), f32(1), u8(0), f32(1), u8(0)];
    expect(() => drawn({ op: "QLinearReduceMean", domain: "com.microsoft", inputs })).toThrow(
      failure(
        "model/op",
        'QLinearReduceMean "y0": dynn does not know the operator QLinearReduceMean of domain "com.microsoft". Export with standard ONNX operators; docs/ops.md lists those that dynn knows.',
      ),
    );
  });
  test("a gradient through one scale per block", () => {
    const graph = (b: GraphBuilder, image: ValueName) => {
      const scale = b.constant(of("float32", [2, 2], [1, 2, 3, 4]));
      const attributes = { axis: int(1), block_size: int(2) };
      return b.op("DequantizeLinear", [b.op("QuantizeLinear", [image, scale], attributes), scale], attributes);
    };
    expect(() => gradientOf(graph, of("float32", [2, 4], new Float32Array(8)), 21)).toThrow(
      failure(
        "gradient/none",
        'DequantizeLinear "dequantizelinear": no gradient: it has one scale per block. Quantize the model per tensor or per channel.',
      ),
    );
  });
});

/** The gradient of the sum of a graph's result. */
function gradientOf(draw: (b: GraphBuilder, x: ValueName) => ValueName, image: Tensor, opset = 17): number[] {
  const graph = summed(draw, image, opset);
  const made = gradientGraph(graph, opTable, { loss: "loss", wrt: ["x"], names: ["dx"], keep: [] });
  return [...toNumbers(runReference(made, { x: image }).dx)];
}

function summed(draw: (b: GraphBuilder, x: ValueName) => ValueName, image: Tensor, opset: number): Graph {
  const b = new GraphBuilder(emptyGraph("g", opset));
  const y = draw(b, b.input("x", image.dtype, image.dims));
  b.append({
    opType: "ReduceSum",
    domain: "",
    name: "",
    inputs: [y],
    outputs: ["loss"],
    attributes: { keepdims: int(0) },
  });
  b.output("loss", image.dtype, []);
  return inferShapes(b.build(), opTable);
}

/** QuantizeLinear and DequantizeLinear with constants. */
const quantized = (
  b: GraphBuilder,
  x: ValueName,
  scale: Tensor,
  zero?: Tensor,
  attributes: Attributes = {},
): ValueName => {
  const parameters = [b.constant(scale), ...(zero ? [b.constant(zero)] : [])];
  return b.op("DequantizeLinear", [b.op("QuantizeLinear", [x, ...parameters], attributes), ...parameters], attributes);
};

describe("the straight-through gradient", () => {
  test("is 1 where the value is not clipped and 0 where it is", () => {
    // The steps of uint8 with scale 0.5 and zero point 10 reach from -5 to 122.5.
    const image = of("float32", [8], [-6, -5.3, -5.2, -5, 0, 122.5, 122.7, 122.8]);
    const gradient = gradientOf((b, x) => quantized(b, x, f32(0.5), u8(10)), image);
    expect(gradient).toEqual([0, 0, 1, 1, 1, 1, 1, 0]);
    expect(gradient.filter((v) => v === 0)).toHaveLength(3);
  });

  test.each<readonly [DType | undefined, number, readonly number[]]>([
    ["uint8", 13, [0, 1, 1, 0]],
    ["int8", 13, [1, 1, 0, 0]],
    [undefined, 13, [0, 1, 1, 0]],
    ["int16", 21, [1, 1, 1, 1]],
    ["uint16", 21, [0, 1, 1, 1]],
  ])("knows the ends of %s", (dtype, opset, expected) => {
    const zero = dtype && of(dtype, [], [0]);
    expect(
      gradientOf((b, x) => quantized(b, x, f32(1), zero), of("float32", [4], [-100, 100, 200, 300]), opset),
    ).toEqual(expected);
  });

  test("has the scale of each channel", () => {
    const image = of("float32", [2, 2, 2], [300, 200, 300, 200, -1, 0, 1, 600]);
    const draw = (b: GraphBuilder, x: ValueName) => quantized(b, x, f32(1, 2), u8(0, 0), { axis: int(1) });
    expect(gradientOf(draw, image)).toEqual([0, 1, 1, 1, 0, 1, 1, 0]);
  });

  test("passes what moves or selects integers", () => {
    const image = of("float32", [1, 1, 2, 4], [1, 9, 3, 4, -7, 400, 8, 2]);
    const draw = (b: GraphBuilder, x: ValueName) => {
      const parameters = [b.constant(f32(1)), b.constant(u8(0))];
      const q = b.op("QuantizeLinear", [x, ...parameters]);
      const pooled = b.op("MaxPool", [q], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
      const flat = b.op("Reshape", [b.op("Transpose", [pooled], { perm: ints([0, 3, 2, 1]) }), b.ints([1, 2])]);
      return b.op("DequantizeLinear", [b.op("Concat", [flat, flat], { axis: int(1) }), ...parameters]);
    };
    // 400 is the largest of its window, and it is clipped.
    expect(gradientOf(draw, image)).toEqual([0, 0, 0, 0, 0, 0, 2, 0]);
  });

  test("is that of the clipped function without rounding, by finite differences", () => {
    const weights = random([6, 5], 2);
    const product = (b: GraphBuilder, x: ValueName) =>
      b.op("MatMul", [x, b.constant(of("float64", [6, 5], toNumbers(weights)))]);
    const image = random([4, 6], 9);
    const [low, high] = [-1.3, 1.25];
    const clipped = summed(
      (b, x) =>
        b.op("Clip", [product(b, x), b.constant(of("float64", [], [low])), b.constant(of("float64", [], [high]))]),
      image,
      17,
    );
    const sum = (values: Float64Array) =>
      toNumbers(runReference(clipped, { x: of("float64", [4, 6], values) }).loss)[0];
    const scale = (high - low) / 255;
    const steps = of("float64", [], [scale]);
    const gradient = gradientOf((b, x) => quantized(b, product(b, x), steps, u8(130)), image);
    const values = toNumbers(image);
    const numeric = gradient.map((_, i) => {
      const moved = (h: number) => sum(values.map((v, k) => (k === i ? v + h : v)));
      return (moved(1e-6) - moved(-1e-6)) / 2e-6;
    });
    gradient.forEach((v, i) => expect(v).toBeCloseTo(numeric[i], 5));
    const free = gradientOf(product, image);
    expect(gradient.filter((v, i) => Math.abs(v - free[i]) > 1e-9).length).toBeGreaterThan(10);
  });

  test("DequantizeLinear alone keeps integers that do not depend on the image constant", async () => {
    const weights = bytes("int8", [3, 2], 4);
    const draw = (b: GraphBuilder, x: ValueName) =>
      b.op("MatMul", [x, b.op("DequantizeLinear", [b.constant(weights), b.constant(f32(0.5))])]);
    const rows = [0, 1, 2].map((i) => 0.5 * (Number(weights.data[2 * i]) + Number(weights.data[2 * i + 1])));
    expect(gradientOf(draw, of("float32", [1, 3], [1, 2, 3]))).toEqual(rows);
  });

  test("on ONNX Runtime it is the same", async () => {
    const image = of(
      "float32",
      [2, 3, 2],
      toNumbers(random([2, 3, 2], 5)).map((v) => 100 * v),
    );
    const graph = summed((b, x) => quantized(b, x, f32(0.5, 1, 2), i8(3, 0, -100), { axis: int(1) }), image, 13);
    const made = gradientGraph(graph, opTable, { loss: "loss", wrt: ["x"], names: ["dx"], keep: [] });
    const session = await ortNode({ threads: 1 }).compile(made);
    const theirs = (await session.run({ x: image })).dx;
    await session.release();
    expect([...theirs.data]).toEqual([...runReference(made, { x: image }).dx.data]);
    expect([...theirs.data].filter((v) => v === 0).length).toBeGreaterThan(0);
  });
});

test("a node that computes with integers refuses a gradient, also beside a path of floats", () => {
  const draw = (b: GraphBuilder, x: ValueName) => {
    const parameters = [b.constant(f32(1)), b.constant(u8(0))];
    const q = b.op("QuantizeLinear", [x, ...parameters]);
    const weights = [b.constant(bytes("int8", [2, 2], 1)), b.constant(f32(1)), b.constant(i8(0))];
    const product = b.op("QLinearMatMul", [q, ...parameters, ...weights, ...parameters]);
    return b.op("Add", [b.op("DequantizeLinear", [product, ...parameters]), x]);
  };
  expect(() => gradientOf(draw, of("float32", [1, 2], [1, 2]))).toThrow(
    failure(
      "gradient/none",
      'QLinearMatMul "qlinearmatmul": QLinearMatMul has no gradient: it computes with 8-bit integers. Give the float model, or one with QuantizeLinear and DequantizeLinear around float operators. Or audit this one with the attacks "none".',
    ),
  );
});

describe("a path that ends is named with its operator", () => {
  const cast = (b: GraphBuilder, x: ValueName, to: number) => b.op("Cast", [x], { to: int(to) });
  const zero = "its gradient is zero everywhere";
  const whole = (dtype: string) => `its output is ${dtype}, and such numbers have no gradient`;
  test.each<readonly [string, (b: GraphBuilder, x: ValueName) => ValueName, string]>([
    ["Round", (b, x) => b.op("Exp", [b.op("Round", [x])]), `Round "round": ${zero}`],
    ["Sign", (b, x) => b.op("Sign", [b.op("Exp", [x])]), `Sign "sign": ${zero}`],
    ["Cast", (b, x) => cast(b, cast(b, x, 2), 1), `Cast "cast": ${whole("uint8")}`],
    ["ArgMax", (b, x) => cast(b, b.op("ArgMax", [x], { axis: int(0) }), 1), 'ArgMax "argmax": its output is an index'],
    ["Greater", (b, x) => cast(b, b.op("Greater", [x, b.scalar(0.5)]), 1), 'Greater "greater": its output is'],
    [
      "the one next to the loss",
      (b, x) => b.op("Floor", [b.op("Exp", [b.op("Round", [x])])]),
      `Floor "floor": ${zero}`,
    ],
    [
      "the first of two, and how many more",
      (b, x) => b.op("Add", [b.op("Floor", [x]), b.op("Ceil", [x])]),
      `Floor "floor": ${zero}. One more path ends alike.`,
    ],
    [
      "a cast after steps, and not the steps",
      (b, x) => b.op("Sign", [quantized(b, x, f32(1))]),
      `Sign "sign": ${zero}`,
    ],
  ])("%s", (_, draw, text) => {
    expect(() => gradientOf(draw, of("float32", [2], [0.2, 0.7]))).toThrow(
      `gradient of "loss": its path to "x" ends at ${text}`,
    );
  });
});
