/** The blocked layout of graphs whose weights are constants, sub-graphs included, and steep masks: what is left, and equal answers. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { skipping } from "../../src/dynamic/run/skipping/index.js";
import { float, int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { type Graph, type Node, subgraphs, type ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { distinctNames } from "../../src/graph/scopes.js";
import { resnet } from "../../src/nn/resnet.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { NCHWC } from "../../src/runtime/blocked/layout.js";
import { steepMasks } from "../../src/runtime/blocked/masks.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { attachGates } from "../../src/training/gates/attach.js";
import { random } from "../support/gradcheck.js";

const [CHANNELS, SIDE] = [16, 6];
const [FAST, PLAIN] = [ortNode({ threads: 1 }), ortNode({ threads: 1, rewrite: false })];
const IMAGES = ["n", CHANNELS, SIDE, SIDE] as const;

const float32 = (t: Tensor): Tensor => fromNumbers("float32", t.dims, toNumbers(t));
const weights = (...dims: number[]): Tensor => float32(random(dims, dims.length));

const conv = (b: GraphBuilder, x: ValueName, from = CHANNELS, to = from): ValueName =>
  b.op("Conv", [x, b.constant(weights(to, from, 3, 3), "w")], { pads: ints([1, 1, 1, 1]) });

function graphOf(body: (b: GraphBuilder, x: ValueName) => ValueName): Graph {
  const b = new GraphBuilder(emptyGraph("inference", 17));
  b.output(body(b, b.input("x", "float32", IMAGES)), "float32", undefined);
  return inferShapes(b.build(), opTable);
}

/** Operators in order; blocked ones with a star, sub-graphs in brackets. */
const shown = (graph: Graph): string => graph.nodes.map(shownNode).join(" ");
const shownNode = (node: Node): string =>
  node.opType +
  (node.domain === NCHWC ? "*" : "") +
  subgraphs(node)
    .map((inner) => `[${shown(inner)}]`)
    .join("");

async function expectSame(graph: Graph): Promise<void> {
  const run = async (backend: typeof FAST): Promise<number[][]> => {
    const session = await backend.compile(graph);
    const results = await session.run({ x: float32(random([3, CHANNELS, SIDE, SIDE])) });
    await session.release();
    return Object.values(results).map((t) => [...toNumbers(t)]);
  };
  const [fast, plain] = [await run(FAST), await run(PLAIN)];
  plain.forEach((want, k) => {
    const most = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const worst = want.reduce((m, v, i) => Math.max(m, Math.abs(v - fast[k]?.[i])), 0);
    expect(worst).toBeLessThanOrEqual(1e-5 * most);
  });
}

describe("constant weights", () => {
  test("are laid out once and for all, and the old ones go", async () => {
    const graph = graphOf((b, x) => conv(b, conv(b, x)));
    const blocked = blockedLayout(graph, 8);
    expect(shown(blocked)).toBe("ReorderInput* Conv* Conv* ReorderOutput*");
    expect([...blocked.initializers.keys()]).toEqual(["w.blocked", "w_1.blocked"]);
    await expectSame(graph);
  });

  test("outputs that fill no block, as the gradient of images has them, are filled up with zeros", async () => {
    const graph = graphOf((b, x) =>
      b.op("Conv", [conv(b, x), b.constant(weights(3, CHANNELS, 3, 3)), b.constant(weights(3))], {
        pads: ints([1, 1, 1, 1]),
      }),
    );
    expect(shown(blockedLayout(graph, 8))).toBe("ReorderInput* Conv* Conv* ReorderOutput*");
    await expectSame(graph);
  });

  describe("of a linear layer on flattened images take the order of the blocks", () => {
    const K = CHANNELS * SIDE * SIDE;
    const flat = (b: GraphBuilder, x: ValueName) => b.op("Flatten", [conv(b, x)]);
    test.each<[string, (b: GraphBuilder, x: ValueName) => ValueName, string]>([
      ["Gemm", (b, x) => b.op("Gemm", [flat(b, x), b.constant(weights(K, 5)), b.constant(weights(5))]), "Gemm"],
      [
        "Gemm, transposed",
        (b, x) => b.op("Gemm", [flat(b, x), b.constant(weights(5, K))], { transB: int(1), alpha: float(0.5) }),
        "Gemm",
      ],
      ["MatMul", (b, x) => b.op("MatMul", [flat(b, x), b.constant(weights(K, 5))]), "MatMul"],
    ])("%s", async (_, body, last) => {
      const graph = graphOf(body);
      expect(shown(blockedLayout(graph, 8))).toBe(`ReorderInput* Conv* Flatten ${last}`);
      await expectSame(graph);
    });

    test.each<[string, (b: GraphBuilder, x: ValueName) => ValueName, string]>([
      [
        "not where more than the layer reads them",
        (b, x) => {
          const all = flat(b, x);
          return b.op("Mul", [b.op("MatMul", [all, b.constant(weights(K, 1))]), all]);
        },
        "ReorderInput* Conv* ReorderOutput* Flatten MatMul Mul",
      ],
      [
        "nor where rows of pixels are multiplied",
        (b, x) => b.op("MatMul", [conv(b, x), b.constant(weights(SIDE, 5))]),
        "ReorderInput* Conv* ReorderOutput* MatMul",
      ],
      [
        "nor where the weights are no constants",
        (b, x) => b.op("MatMul", [flat(b, x), b.op("Transpose", [flat(b, x)])]),
        "ReorderInput* Conv* ReorderOutput* Flatten Conv* ReorderOutput* Flatten Transpose MatMul",
      ],
      [
        "nor where images are flattened in between",
        (b, x) =>
          b.op("MatMul", [b.op("Flatten", [conv(b, x)], { axis: int(2) }), b.constant(weights(SIDE * SIDE, 5))]),
        "ReorderInput* Conv* ReorderOutput* Flatten MatMul",
      ],
    ])("%s", async (_, body, expected) => {
      const graph = graphOf(body);
      expect(shown(blockedLayout(graph, 8))).toBe(expected);
      await expectSame(graph);
    });
  });

  test.each<[string, number, number, number, Readonly<Record<string, readonly number[]>>]>([
    ["3x3 on 2x2", 2, 3, 32, { pads: [1, 1, 1, 1] }],
    ["with a bias", 2, 3, 16, { pads: [1, 1, 1, 1], bias: [1] }],
    ["5x5 on 2x2, stride 2", 2, 5, 16, { pads: [2, 2, 2, 2], strides: [2, 2] }],
    ["3x3 on 1x1", 1, 3, 16, { pads: [1, 1, 1, 1] }],
    ["3x3 on 2x2, taps two apart, uneven pads", 2, 3, 16, { pads: [2, 1, 1, 2], dilations: [2, 2] }],
  ])("images smaller than the kernel become matrix products: %s", async (_, side, kernel, outputs, options) => {
    const { bias, ...attributes } = options;
    const small = (b: GraphBuilder, x: ValueName): ValueName => {
      const pooled = b.op("AveragePool", [conv(b, x)], {
        kernel_shape: ints([SIDE / side, SIDE / side]),
        strides: ints([SIDE / side, SIDE / side]),
      });
      const inputs = [pooled, b.constant(weights(outputs, CHANNELS, kernel, kernel))];
      if (bias) inputs.push(b.constant(weights(outputs)));
      const shown = Object.entries(attributes).map(([name, value]) => [name, ints(value)]);
      return b.op("Relu", [b.op("Conv", inputs, Object.fromEntries(shown))]);
    };
    const graph = graphOf(small);
    expect(shown(blockedLayout(graph, 8))).toBe(
      "ReorderInput* Conv* AveragePool* Flatten Gemm Reshape Relu ReorderOutput*",
    );
    await expectSame(graph);
  });

  test("images as large as the kernel stay convolutions", () => {
    const graph = graphOf((b, x) =>
      conv(b, b.op("AveragePool", [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) })),
    );
    expect(shown(blockedLayout(graph, 8))).not.toContain("Gemm");
  });

  test("numbers of another kind than float32 stay plain", () => {
    const b = new GraphBuilder(emptyGraph("double", 17));
    const x = b.input("x", "float64", IMAGES);
    b.output(b.op("Conv", [x, b.constant(random([CHANNELS, CHANNELS, 3, 3]))]), "float64", undefined);
    expect(shown(blockedLayout(inferShapes(b.build(), opTable), 8))).toBe("Conv");
  });

  test("activations go into the convolution", async () => {
    const graph = graphOf((b, x) => b.op("Clip", [conv(b, b.op("LeakyRelu", [conv(b, x)])), b.scalar(0), b.scalar(6)]));
    const blocked = blockedLayout(graph, 8);
    expect(shown(blocked)).toBe("ReorderInput* Conv* Conv* ReorderOutput*");
    expect(blocked.nodes.map((node) => node.attributes.activation_params)).toEqual([
      undefined,
      { kind: "floats", value: [0.01] },
      { kind: "floats", value: [0, 6] },
      undefined,
    ]);
    await expectSame(graph);
  });
});

describe("sub-graphs", () => {
  /** y = conv(x); if the sum of x is positive (or negative): then(y), else y. */
  function routed(then: (b: GraphBuilder, y: ValueName) => ValueName, comparison: string): Graph {
    const b = new GraphBuilder(emptyGraph("outer", 17));
    const x = b.input("x", "float32", IMAGES);
    const y = b.op("Relu", [conv(b, x)], {}, "y");
    b.setType(y, { dtype: "float32", shape: IMAGES });
    const typed = inferShapes(b.build(), opTable);
    const inner = new GraphBuilder(emptyGraph("then", 17));
    const image = inner.input(y, "float32", IMAGES);
    inner.output(then(inner, image), "float32", IMAGES);
    const thenBranch = { ...inferShapes(inner.build(), opTable), inputs: [] };
    const other = new GraphBuilder(emptyGraph("else", 17));
    other.reserve(y);
    other.output(other.op("Identity", [y]), "float32", IMAGES);
    const positive = b.op(comparison, [b.op("ReduceSum", [x], { keepdims: int(0) }), b.scalar(0)]);
    const branches = {
      then_branch: { kind: "graph", value: thenBranch },
      else_branch: { kind: "graph", value: other.build() },
    } as const;
    const out = b.op("If", [positive], branches);
    b.output(b.op("Neg", [out]), "float32", IMAGES);
    const built = b.build();
    const types = new Map([...built.types, ...typed.types, [out, { dtype: "float32" as const, shape: IMAGES }]]);
    return distinctNames({ ...built, types });
  }

  /** ONNX Runtime adds a sum in place only where it knows that both have as many rows. */
  function expectTyped(graph: Graph, opType: string, shape: readonly number[]): void {
    const inner = graph.nodes.flatMap(subgraphs).find(({ nodes }) => nodes.some((node) => node.opType === opType));
    const [made] = inner?.nodes.find((node) => node.opType === opType)?.outputs ?? [];
    expect(inner?.types.get(made ?? "")).toEqual({ dtype: "float32", shape });
  }

  test("take what the graph around them has made, in the layout it has", async () => {
    const graph = routed((b, y) => b.op("Relu", [b.op("Add", [conv(b, y), y])]), "Greater");
    expect(shown(blockedLayout(graph, 8))).toBe(
      "ReorderInput* Conv* ReduceSum Greater If[Conv*][Identity] Neg ReorderOutput*",
    );
    await expectSame(graph);
    await expectSame(routed((b, y) => b.op("Relu", [b.op("Add", [conv(b, y), y])]), "Less"));
  });

  test("keep samples that go on in blocks", async () => {
    const some = (b: GraphBuilder, y: ValueName): ValueName =>
      conv(b, b.op("Gather", [y, b.constant(fromNumbers("int64", [3], [0, 1, 2]))], { axis: int(0) }));
    const graph = routed(some, "Greater");
    const blocked = blockedLayout(graph, 8);
    expect(shown(blocked)).toContain("If[Gather Conv*][Identity] Neg ReorderOutput*");
    expectTyped(blocked, "Gather", [3, CHANNELS, SIDE, SIDE]);
    await expectSame(graph);
    await expectSame(routed(some, "Less"));
  });

  test("reorder inside the branch whose operator has no blocked form", async () => {
    const graph = routed((b, y) => b.op("Pow", [y, b.scalar(2)]), "Greater");
    expect(shown(blockedLayout(graph, 8))).toContain(
      "If[ReorderOutput* Pow ReorderInput*][Identity] Neg ReorderOutput*",
    );
    await expectSame(graph);
    await expectSame(routed((b, y) => b.op("Pow", [y, b.scalar(2)]), "Less"));
  });

  test.each(["same-size", "all"] as const)("no image changes its layout around the blocks of gates: %s", (places) => {
    const plain = resnet(20)({ classes: 10, imageSize: 16, seed: 1 }).graph;
    const { graph, gates } = attachGates(plain, { gate: "pooled", seed: 1, places });
    for (const single of [true, false]) {
      const blocked = shown(blockedLayout(skipping(graph, gates, { single }), 8));
      expect(blocked.match(/If/g)).toHaveLength(gates.length);
      expect(blocked).not.toContain("Reorder");
      expect(blocked).not.toContain("Conv ");
    }
  });

  test("leave a convolution alone whose output they read", () => {
    const b = new GraphBuilder(emptyGraph("outer", 17));
    const x = b.input("x", "float32", IMAGES);
    const y = conv(b, x);
    const positive = b.op("Relu", [y]);
    const inner = (name: string): Graph => {
      const i = new GraphBuilder(emptyGraph(name, 17));
      i.reserve(y);
      i.output(i.op("Neg", [y]), "float32", IMAGES);
      return i.build();
    };
    const typed = inferShapes(
      { ...b.build(), outputs: [{ name: positive, dtype: "float32", shape: IMAGES }] },
      opTable,
    );
    const branches = {
      then_branch: { kind: "graph", value: inner("a") },
      else_branch: { kind: "graph", value: inner("b") },
    } as const;
    b.output(b.op("If", [b.constant(fromNumbers("bool", [], [1]))], branches), "float32", IMAGES);
    b.output(positive, "float32", IMAGES);
    const graph = { ...b.build(), types: typed.types };
    expect(shown(blockedLayout(graph, 8))).toContain("Conv* Relu If");
  });
});

describe("steep masks", () => {
  const masked = graphOf((b, x) => {
    const positive = b.op("Greater", [x, b.scalar(0)]);
    return b.op("Mul", [b.op("Cast", [positive], { to: int(1) }), b.scalar(3)]);
  });

  test("take the place of a comparison with 0 that becomes a number", () => {
    expect(shown(steepMasks(masked))).toBe("HardSigmoid Mul");
  });

  test("are 0 or 1, to the smallest normal float32 and the largest", async () => {
    const values = [0, -0, 2 ** -126, -(2 ** -126), 1e-30, 1, -1, 3.4e38, -3.4e38, Infinity, -Infinity];
    const data = Float32Array.from({ length: CHANNELS * SIDE * SIDE }, (_, i) => values[i % values.length]);
    const session = await FAST.compile(masked);
    const results = await session.run({ x: { dtype: "float32", dims: [1, CHANNELS, SIDE, SIDE], data } });
    expect(toNumbers(Object.values(results)[0])).toEqual(Float64Array.from(data, (v) => (v > 0 ? 3 : 0)));
    await session.release();
  });

  const clipped = graphOf((b, x) => {
    const y = b.op("Clip", [x, b.scalar(0), b.scalar(6)]);
    return b.op("Mul", [b.op("Cast", [b.op("Equal", [x, y])], { to: int(1) }), b.scalar(3)]);
  });

  test("take the place of a comparison with the clipped value that becomes a number", () => {
    expect(shown(steepMasks(clipped))).toBe("Clip Sub Abs HardSigmoid Mul");
  });

  test("leave a value without a type as it is", () => {
    const types = [...clipped.types].filter(([name]) => name !== clipped.outputs[0].name);
    const steep = steepMasks({ ...clipped, types: new Map(types) });
    expect(steep.types.has(clipped.outputs[0].name)).toBe(false);
    expect(steep.nodes.filter(({ outputs }) => !steep.types.has(outputs[0]))).toHaveLength(1);
  });

  test("pass both bounds and no number beside them", async () => {
    const values = [0, -0, 6, 2 ** -126, -(2 ** -126), 6 + 2 ** -21, 6 - 2 ** -21, 1, -1, 3.4e38, -Infinity, Infinity];
    const data = Float32Array.from({ length: CHANNELS * SIDE * SIDE }, (_, i) => values[i % values.length]);
    const session = await FAST.compile(clipped);
    const results = await session.run({ x: { dtype: "float32", dims: [1, CHANNELS, SIDE, SIDE], data } });
    const wanted = Float64Array.from(data, (v) => (v >= 0 && v <= 6 ? 3 : 0));
    expect(toNumbers(Object.values(results)[0])).toEqual(wanted);
    await session.release();
  });

  test.each<[string, (b: GraphBuilder, x: ValueName) => ValueName]>([
    ["an open bound", (b, x) => b.op("Cast", [b.op("Equal", [x, b.op("Clip", [x, b.scalar(0)])])], { to: int(1) })],
    [
      "another clipped value",
      (b, x) =>
        b.op("Cast", [b.op("Equal", [x, b.op("Clip", [b.op("Neg", [x]), b.scalar(0), b.scalar(6)])])], { to: int(1) }),
    ],
    ["another bound", (b, x) => b.op("Cast", [b.op("Greater", [x, b.scalar(1)])], { to: int(1) })],
    [
      "a bound per channel",
      (b, x) => b.op("Cast", [b.op("Greater", [x, b.constant(weights(CHANNELS, 1, 1))])], { to: int(1) }),
    ],
    ["another comparison", (b, x) => b.op("Cast", [b.op("Less", [x, b.scalar(0)])], { to: int(1) })],
    ["numbers of another kind", (b, x) => b.op("Cast", [b.op("Greater", [x, b.scalar(0)])], { to: int(11) })],
    [
      "a fraction of what is cast",
      (b, x) => b.op("Cast", [b.op("HardSigmoid", [x], { alpha: float(1) })], { to: int(1) }),
    ],
  ])("not with %s", (_, body) => {
    const graph = graphOf(body);
    expect(steepMasks(graph)).toBe(graph);
  });
});
