/** The blocked layout against the same graph as it is written, both on ONNX Runtime: equal but for rounding, whatever enters or
 *  leaves the blocked world. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendVjp } from "../../src/autodiff/gradient.js";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { lowerBatchStatistics } from "../../src/runtime/blocked/batch-statistics.js";
import { NCHWC } from "../../src/runtime/blocked/layout.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { runReference } from "../../src/runtime/reference.js";
import { random } from "../support/gradcheck.js";

const ROWS = 2;
const SIDE = 7;
const [FAST, PLAIN] = [ortNode({ threads: 1 }), ortNode({ threads: 1, rewrite: false })];

/** Largest difference allowed, as a share of the largest number of an output. */
const TOLERANCE = 1e-5;

interface Net {
  readonly b: GraphBuilder;
  /** A fed weight of these dimensions. */
  readonly weight: (...dims: number[]) => string;
  /** A convolution with a fed weight, padded to keep the size at stride 1 and kernel 3. */
  readonly conv: (x: string, from: number, to: number, options?: ConvOptions) => string;
}

interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly dilation?: number;
  readonly pad?: number;
  readonly bias?: boolean;
}

/** A graph over images [2,channels,7,7] whose last value(s) `body` returns. */
function graphOf(channels: number, body: (x: string, net: Net) => string | readonly string[]): Graph {
  const b = new GraphBuilder(emptyGraph("blocked", 17));
  const x = b.input("x", "float32", [ROWS, channels, SIDE, SIDE]);
  const weight = (...dims: number[]): string => b.input("w", "float32", dims);
  const conv: Net["conv"] = (value, from, to, options = {}) => {
    const { kernel = 3, stride = 1, groups = 1, dilation = 1, bias = false } = options;
    const pad = options.pad ?? (dilation * (kernel - 1)) / 2;
    const inputs = [value, weight(to, from / groups, kernel, kernel), ...(bias ? [weight(to)] : [])];
    return b.op("Conv", inputs, {
      pads: ints([pad, pad, pad, pad]),
      strides: ints([stride, stride]),
      dilations: ints([dilation, dilation]),
      group: int(groups),
    });
  };
  for (const name of [body(x, { b, weight, conv })].flat()) b.output(name, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

/** The graph with the gradient of each input as further outputs; the seeds of its outputs are fed. */
function withGradients(graph: Graph): Graph {
  const b = new GraphBuilder(graph);
  const seeds = new Map(
    graph.outputs.map(({ name }) => [name, b.input("seed", "float32", graph.types.get(name)?.shape ?? [])]),
  );
  const wrt = graph.inputs.map((i) => i.name);
  for (const grad of appendVjp(b, graph, opTable, { seeds, wrt }).values()) b.output(grad, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

const feedsOf = (graph: Graph, seed = 1): Tensors =>
  Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => {
      const dims = shape as readonly number[];
      const scale = dims.length === 4 && name.startsWith("w") ? 1 / Math.sqrt(dims[1] * dims[2] * dims[3]) : 1;
      return [
        name,
        fromNumbers(
          "float32",
          dims,
          toNumbers(random(dims, seed + i)).map((v) => v * scale),
        ),
      ];
    }),
  );

async function outputsOf(graph: Graph, feeds: Tensors, backend = FAST): Promise<Tensors> {
  const session = await backend.compile(graph);
  const results = await session.run(feeds);
  await session.release();
  return results;
}

function expectEqual(graph: Graph, got: Tensors, want: Tensors): void {
  for (const { name } of graph.outputs) {
    const [a, b] = [got[name], want[name]];
    expect(a.dims, name).toEqual(b.dims);
    const wanted = toNumbers(b);
    const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
    const worst = toNumbers(a).reduce((m, v, i) => Math.max(m, Math.abs(v - wanted[i])), 0);
    expect(worst, `${name}: off by ${worst} of ${scale}`).toBeLessThanOrEqual(TOLERANCE * scale);
  }
}

/** The graph with its fed weights as constants: what inference and attacks run. */
function withConstants(graph: Graph, seed = 1): Graph {
  const feeds = feedsOf(graph, seed);
  const isWeight = (name: string): boolean => name.startsWith("w");
  return inferShapes(
    {
      ...graph,
      inputs: graph.inputs.filter((i) => !isWeight(i.name)),
      initializers: new Map([...graph.initializers, ...Object.entries(feeds).filter(([name]) => isWeight(name))]),
    },
    opTable,
  );
}

/** Assert that rewriting changes nothing, forward and backward, with fed weights and with constant ones. */
async function expectSame(graph: Graph, seed = 1): Promise<void> {
  for (const weights of [graph, withConstants(graph, seed)])
    for (const g of [weights, withGradients(weights)]) {
      const feeds = feedsOf(g, seed);
      expectEqual(g, await outputsOf(g, feeds), await outputsOf(g, feeds, PLAIN));
    }
}

const sum = (b: GraphBuilder, ...values: [string, ...string[]]): string =>
  values.reduce((total, v) => b.op("Add", [total, v]));

describe("convolutions with fed weights, and their gradients", () => {
  test.each<[string, number, number, ConvOptions]>([
    ["three input channels", 3, 16, {}],
    ["one input channel", 1, 16, { kernel: 1 }],
    ["8 channels, which fill a block on some machines only", 8, 8, {}],
    ["16 channels", 16, 32, {}],
    ["stride 2", 16, 16, { stride: 2 }],
    ["stride 2 with one tap", 16, 32, { kernel: 1, stride: 2, pad: 0 }],
    ["one tap", 32, 16, { kernel: 1 }],
    ["depthwise", 16, 16, { groups: 16 }],
    ["depthwise, stride 2, with a bias", 32, 32, { groups: 32, stride: 2, bias: true }],
    ["two groups of whole blocks", 32, 64, { groups: 2 }],
    ["two groups that fill a block on some machines only", 16, 16, { groups: 2 }],
    ["four groups of less than a block", 16, 16, { groups: 4 }],
    ["dilation", 16, 16, { dilation: 2 }],
    ["a bias", 16, 16, { bias: true }],
    ["no padding", 16, 16, { pad: 0 }],
    ["channels that fill no block", 12, 20, {}],
    ["outputs that fill no block", 16, 10, {}],
    ["inputs that fill no block", 20, 16, {}],
  ])("%s", async (_, from, to, options) => {
    await expectSame(graphOf(from, (x, { conv }) => conv(x, from, to, options)));
  });
});

describe("chains, and their gradients", () => {
  test.each<[string, (x: string, net: Net) => string | readonly string[]]>([
    [
      "a residual block",
      (x, { b, conv }) => {
        const first = b.op("Relu", [conv(x, 16, 16)]);
        return b.op("Relu", [b.op("Add", [conv(first, 16, 16), x])]);
      },
    ],
    ["a sum of two convolutions", (x, { b, conv }) => b.op("Relu", [b.op("Add", [conv(x, 16, 16), conv(x, 16, 16)])])],
    ...([1, 2, 3] as const).map(
      (stride) =>
        [
          `a depthwise convolution of stride ${stride} between others`,
          (x, { conv }) => conv(conv(conv(x, 16, 16), 16, 16, { groups: 16, stride }), 16, 16),
        ] as [string, (x: string, net: Net) => string],
    ),
    [
      "every second pixel, as shortcuts take it",
      (x, { b, conv }) => {
        const thin = b.op("AveragePool", [conv(x, 16, 16)], { kernel_shape: ints([1, 1]), strides: ints([2, 2]) });
        return conv(thin, 16, 16);
      },
    ],
    [
      "a large value that ends in single elements, times and plus scalars",
      (x, { b, weight }) => {
        const scaled = b.op("Mul", [weight(64, 32, 1, 1), b.scalar(0.25)]);
        return b.op("Conv", [b.op("Concat", [x, x], { axis: int(1) }), b.op("Add", [b.scalar(0.5), scaled])]);
      },
    ],
    [
      "a convolution that is read twice",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        return [b.op("Add", [b.op("Relu", [y]), y]), b.op("Add", [y, y])];
      },
    ],
    [
      "a sum read by a sum",
      (x, { b, conv }) => {
        const y = b.op("Add", [conv(x, 16, 16), x]);
        return [b.op("Add", [conv(y, 16, 16), y]), y];
      },
    ],
    [
      "activations",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        return sum(b, b.op("Sigmoid", [y]), b.op("Tanh", [y]), b.op("Exp", [b.op("Neg", [b.op("Abs", [y])])]));
      },
    ],
    ["a clip with one bound left out", (x, { b, conv }) => b.op("Clip", [conv(x, 16, 16), "", b.scalar(0.5)])],
    [
      "scale and shift per channel",
      (x, { b, conv, weight }) => {
        const scaled = b.op("Mul", [weight(1, 16, 1, 1), conv(x, 16, 16)]);
        return b.op("Relu", [b.op("Add", [b.op("Add", [scaled, weight(16, 1, 1)]), weight(1, 16, 1, 1)])]);
      },
    ],
    [
      "a shift on a convolution with a bias, and on a sum",
      (x, { b, conv, weight }) => {
        const y = b.op("Add", [conv(x, 16, 16, { bias: true }), weight(16, 1, 1)]);
        return b.op("Add", [b.op("Add", [conv(y, 16, 16), y]), weight(16, 1, 1)]);
      },
    ],
    [
      "numbers for all channels, and per sample",
      (x, { b, conv, weight }) =>
        b.op("Mul", [b.op("Add", [b.op("Mul", [conv(x, 16, 16), weight()]), weight(1)]), weight(ROWS, 1, 1, 1)]),
    ],
    [
      "gates per sample and channel",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        return b.op("Mul", [y, b.op("Sigmoid", [conv(b.op("GlobalAveragePool", [y]), 16, 16, { kernel: 1 })])]);
      },
    ],
    [
      "activations that a convolution applies itself",
      (x, { b, conv }) => [
        b.op("Relu", [conv(x, 16, 16)]),
        b.op("Sigmoid", [conv(x, 16, 16, { bias: true })]),
        b.op("Tanh", [conv(x, 16, 16)]),
        b.op("LeakyRelu", [conv(x, 16, 16)], { alpha: float(0.3) }),
        b.op("HardSigmoid", [conv(x, 16, 16)], { alpha: float(0.4) }),
        b.op("Clip", [conv(x, 16, 16), b.scalar(-0.5), b.scalar(0.75)]),
        b.op("Clip", [conv(x, 16, 16), "", b.scalar(0.25)]),
        b.op("Clip", [conv(x, 16, 16), b.op("ReduceMin", [x], { keepdims: int(0) }), b.scalar(0.25)]),
      ],
    ],
    [
      "larger images by whole factors, and by others",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const larger = (scales: readonly number[], mode: string, counts: string, nearest = "floor"): string =>
          b.op("Resize", [y, "", b.constant(fromNumbers("float32", [4], scales))], {
            mode: string(mode),
            coordinate_transformation_mode: string(counts),
            nearest_mode: string(nearest),
          });
        return [
          larger([1, 1, 2, 2], "nearest", "asymmetric"),
          larger([1, 1, 4, 3], "nearest", "half_pixel", "round_prefer_floor"),
          larger([1, 1, 2, 2], "nearest", "half_pixel"),
          larger([1, 1, 2, 2], "nearest", "asymmetric", "ceil"),
          larger([1, 1, 1.5, 1], "nearest", "asymmetric"),
          larger([1, 1, 2, 2], "linear", "half_pixel"),
        ];
      },
    ],
    [
      "some samples of a batch",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const chosen = b.op("Gather", [y, b.ints([1, 0, 1])]);
        return [b.op("Add", [conv(chosen, 16, 16), chosen]), b.op("Gather", [y, b.ints([3, 3])], { axis: int(1) })];
      },
    ],
    [
      "the size of images",
      (x, { b, conv, weight }) => b.op("Expand", [weight(1, 16, 1, 1), b.op("Shape", [conv(x, 16, 16)])]),
    ],
    [
      "pools",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const by = (kernel: number, stride: number, pad = 0): Attributes => ({
          kernel_shape: ints([kernel, kernel]),
          strides: ints([stride, stride]),
          pads: ints([pad, pad, pad, pad]),
        });
        return [
          b.op("MaxPool", [y], by(2, 2)),
          b.op("MaxPool", [y], by(3, 2, 1)),
          b.op("AveragePool", [y], by(2, 2)),
          b.op("AveragePool", [y], by(3, 2, 1)),
          b.op("AveragePool", [y], { ...by(3, 1, 1), count_include_pad: int(1) }),
          b.op("AveragePool", [y], { ...by(3, 2), ceil_mode: int(1) }),
          b.op("AveragePool", [y], by(1, 2)),
          b.op("GlobalAveragePool", [y]),
        ];
      },
    ],
    [
      "reductions",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const mean = (...axes: number[]): string => b.op("ReduceMean", [y], { axes: ints(axes), keepdims: int(0) });
        return [
          mean(0, 2, 3),
          mean(-1, 0, -2),
          mean(2, 3),
          mean(1),
          b.op("ReduceMean", [y], { axes: ints([0, 2, 3]) }),
          b.op("ReduceSum", [y, b.ints([0, 2, 3])], { keepdims: int(0) }),
          b.op("ReduceSum", [y, b.ints([0, 2, 3])]),
          b.op("ReduceSum", [y]),
        ];
      },
    ],
    [
      "pads, inner and of channels, whole blocks and not, positive and negative",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        return [
          [0, 0, 1, 2, 0, 0, 3, 0],
          [0, 0, -1, -2, 0, 0, -3, 0],
          [0, 0, -1, 2, 0, 0, 3, -1],
          [0, 16, 0, 0, 0, 16, 0, 0],
          [0, 8, 0, 0, 0, 8, 0, 0],
          [0, 3, 0, 0, 0, 1, 0, 0],
          [0, 16, 1, 1, 0, 0, 1, 1],
          [1, 0, 0, 0, 0, 0, 0, 0],
        ].map((pads) => b.op("Pad", [y, b.ints(pads)]));
      },
    ],
    [
      "pads that are no zeros",
      (x, { b, conv }) => {
        const [y, pads] = [conv(x, 16, 16), b.ints([0, 0, 1, 1, 0, 0, 1, 1])];
        return sum(b, b.op("Pad", [y, pads], { mode: string("reflect") }), b.op("Pad", [y, pads, b.scalar(2)]));
      },
    ],
    [
      "slices, with steps, of space and of channels, from the end and backwards",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const cut = (starts: number[], ends: number[], axes: number[], steps: number[]): string =>
          b.op("Slice", [y, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps)]);
        return [
          cut([0, 0], [7, 7], [2, 3], [2, 2]),
          cut([1, 2], [7, 7], [2, 3], [2, 1]),
          cut([1, 0], [5, 7], [2, 3], [1, 1]),
          cut([0], [16], [1], [2]),
          cut([-3, 0], [7, 7], [2, 3], [1, 1]),
          cut([6, 6], [-8, -8], [2, 3], [-1, -1]),
          b.op("Slice", [y, b.ints([1]), b.ints([4]), b.ints([3])]),
        ];
      },
    ],
    [
      "images side by side, whole blocks and not",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        const join = (...parts: string[]): string => b.op("Concat", parts, { axis: int(1) });
        return [
          conv(join(y, x, y), 48, 16),
          join(y, conv(x, 16, 4)),
          join(y, y),
          b.op("Concat", [y, x], { axis: int(-3) }),
          b.op("Concat", [y, x], { axis: int(3) }),
        ];
      },
    ],
    [
      "ways out: flatten, reshape, transpose, softmax over channels",
      (x, { b, conv }) => {
        const y = conv(x, 16, 16);
        return [
          b.op("Flatten", [y]),
          b.op("Reshape", [y, b.ints([ROWS, 4, 4, -1])]),
          b.op("Transpose", [y], { perm: ints([0, 2, 3, 1]) }),
          b.op("Softmax", [y], { axis: int(1) }),
        ];
      },
    ],
    [
      "images and broadcasts of less than an image",
      (x, { b, conv, weight }) => {
        const y = conv(x, 16, 16);
        return [
          b.op("Add", [y, weight(SIDE, SIDE)]),
          b.op("Mul", [y, weight(1, 1, SIDE, 1)]),
          b.op("Sub", [y, weight(16, 1, 1)]),
          b.op("Div", [weight(), b.op("Exp", [y])]),
        ];
      },
    ],
  ])("%s", async (_, body) => {
    await expectSame(graphOf(16, body));
  });
});

describe("values of other types than float", () => {
  test.each<[string, (b: GraphBuilder, y: string) => string]>([
    ["masks that only choose", (b, y) => b.op("Where", [b.op("Greater", [y, b.scalar(0)]), y, b.op("Neg", [y])])],
    [
      "masks that become numbers",
      (b, y) => b.op("Cast", [b.op("Not", [b.op("Less", [y, b.scalar(0)])])], { to: int(1) }),
    ],
    ["a mask that is an output", (b, y) => b.op("Greater", [y, b.scalar(0)])],
    ["a mask of a mask that is an output", (b, y) => b.op("Not", [b.op("Greater", [y, b.scalar(0)])])],
    [
      "a mask that leaves by another operator",
      (b, y) => b.op("Flatten", [b.op("Not", [b.op("Greater", [y, b.scalar(0)])])]),
    ],
    ["counts", (b, y) => b.op("Cast", [b.op("Greater", [y, b.scalar(0)])], { to: int(7) })],
    [
      "a mask and a fed mask",
      (b, y) =>
        b.op("And", [
          b.op("Greater", [y, b.scalar(0)]),
          b.op("Greater", [b.input("v", "float32", [1, 16, 1, 1]), b.scalar(0)]),
        ]),
    ],
    [
      "a mask and a mask of plain images",
      (b, y) => {
        const plain = b.op("Reshape", [
          b.op("Cast", [b.op("Flatten", [y])], { to: int(9) }),
          b.ints([ROWS, 16, SIDE, SIDE]),
        ]);
        return b.op("Cast", [b.op("And", [b.op("Greater", [y, b.scalar(0)]), plain])], { to: int(1) });
      },
    ],
  ])("%s", async (_, tail) => {
    const graph = graphOf(16, (x, { b, conv }) => b.op("Identity", [tail(b, conv(x, 16, 16))]));
    const typed = {
      ...graph,
      outputs: graph.outputs.map((o) => ({ ...o, dtype: graph.types.get(o.name)?.dtype ?? ("float32" as const) })),
    };
    const feeds = feedsOf(typed);
    const [got, want] = [await outputsOf(typed, feeds), await outputsOf(typed, feeds, PLAIN)];
    expectEqual(typed, got, want);
  });
});

describe("BatchNormalization in training mode", () => {
  const normal = (momentum: number, count = 3) =>
    graphOf(16, (x, { b, conv, weight }) => {
      const y = conv(x, 16, 16);
      const inputs = [y, weight(16), weight(16), weight(16), b.op("Abs", [weight(16)])];
      const outputs = b.ops("BatchNormalization", inputs, count, {
        training_mode: int(1),
        momentum: float(momentum),
        epsilon: float(0.01),
      });
      return [b.op("Relu", [outputs[0]]), ...outputs.slice(1)];
    });

  test.each([0, 0.25, 0.9])(
    "gives the reference backend's numbers, running ones too (momentum %f)",
    async (momentum) => {
      const graph = normal(momentum);
      const feeds = feedsOf(graph);
      const want = runReference(graph, feeds);
      expectEqual(graph, await outputsOf(graph, feeds), want);
      expectEqual(graph, await outputsOf(graph, feeds, PLAIN), want);
    },
  );

  test("has the reference backend's gradients", async () => {
    const whole = graphOf(16, (x, { b, conv, weight }) => {
      const y = conv(x, 16, 16);
      const inputs = [y, weight(16), weight(16), weight(16), b.op("Abs", [weight(16)])];
      return b.ops("BatchNormalization", inputs, 3, { training_mode: int(1), momentum: float(0) })[0];
    });
    const graph = withGradients(whole);
    const feeds = feedsOf(graph);
    const want = runReference(graph, feeds);
    expectEqual(graph, await outputsOf(graph, feeds), want);
    expectEqual(graph, await outputsOf(graph, feeds, PLAIN), want);
  });

  test("leaves what is fed as it was", async () => {
    const graph = normal(0.5);
    const [feeds, before] = [feedsOf(graph), feedsOf(graph)];
    await outputsOf(graph, feeds);
    await outputsOf(graph, feeds, PLAIN);
    expect(feeds).toEqual(before);
  });

  test("knows a channel that is the same everywhere, however far from zero", async () => {
    const b = new GraphBuilder(emptyGraph("constant", 17));
    const x = b.input("x", "float32", [ROWS, 16, SIDE, SIDE]);
    const per = (value: number) => b.constant(fromNumbers("float32", [16], new Float64Array(16).fill(value)));
    const outputs = b.ops("BatchNormalization", [x, per(1), per(0.5), per(0), per(1)], 3, {
      training_mode: int(1),
      momentum: float(0),
    });
    for (const name of outputs) b.output(name, "float32", undefined);
    const graph = b.build();
    const value = (i: number): number => 37.7 * (1 + (Math.floor(i / SIDE ** 2) % 16));
    const size = ROWS * 16 * SIDE ** 2;
    const feeds = {
      x: fromNumbers(
        "float32",
        [ROWS, 16, SIDE, SIDE],
        Float64Array.from({ length: size }, (_, i) => value(i)),
      ),
    };
    const got = await outputsOf(graph, feeds);
    for (const name of outputs) expect([...toNumbers(got[name])].every(Number.isFinite), name).toBe(true);
    expect(Math.min(...toNumbers(got[outputs[2]]))).toBeGreaterThanOrEqual(0);
  });
});

describe("which graphs are rewritten", () => {
  const graph = graphOf(16, (x, { b, conv }) => b.op("Relu", [b.op("Add", [conv(x, 16, 16), x])]));
  const domains = (g: Graph): number => g.nodes.filter((node) => node.domain === NCHWC).length;

  test("a block that channels fill takes convolution, sum and activation as one operator", () => {
    const nodes = blockedLayout(graph, 8).nodes.filter((node) => node.domain === NCHWC);
    const [image, inputs, outputs, conv] = nodes;
    // The images, then the two axes of the fed weight.
    expect(nodes.map((node) => node.opType)).toEqual([...Array(3).fill("ReorderInput"), "Conv", "ReorderOutput"]);
    expect([image, inputs, outputs].map((node) => node?.inputs[0])).toEqual(["x", "reshape", "reshape_1"]);
    expect(conv?.inputs).toHaveLength(4);
    expect(conv?.attributes.activation).toEqual(string("Relu"));
  });

  test("a block that no channels fill leaves the graph as it is", () => {
    expect(domains(blockedLayout(graph, 32))).toBe(0);
  });

  test("switched off, batch statistics alone are written out", () => {
    expect(lowerBatchStatistics(graph)).toBe(graph);
  });
});

/** A layer of a random network: what it adds to a value of some channels. */
const layer = fc.oneof(
  fc.record({
    kind: fc.constant("conv" as const),
    to: fc.constantFrom(4, 8, 16, 24, 32),
    kernel: fc.constantFrom(1, 3),
    stride: fc.constantFrom(1, 2),
    bias: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom(
      "depthwise" as const,
      "relu" as const,
      "skip" as const,
      "scale" as const,
      "pool" as const,
      "pad" as const,
    ),
  }),
);

test("random networks give the same outputs and gradients in both layouts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 7 }), fc.nat(1000), async (layers, seed) => {
      const graph = graphOf(3, (x, { b, conv, weight }) => {
        let [value, channels, side, skip] = [x, 3, SIDE, ""];
        for (const l of layers) {
          if (l.kind === "conv") {
            value = conv(value, channels, l.to, { kernel: l.kernel, stride: l.stride, bias: l.bias });
            [channels, side] = [l.to, Math.floor((side - 1) / l.stride) + 1];
            skip = "";
          } else if (l.kind === "depthwise") value = conv(value, channels, channels, { groups: channels });
          else if (l.kind === "relu") value = b.op("Relu", [value]);
          else if (l.kind === "scale")
            value = b.op("Add", [b.op("Mul", [value, weight(channels, 1, 1)]), weight(1, channels, 1, 1)]);
          else if (l.kind === "skip") {
            if (skip) value = b.op("Add", [value, skip]);
            skip = value;
          } else if (l.kind === "pool" && side > 2) {
            value = b.op("AveragePool", [value], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
            [side, skip] = [Math.floor(side / 2), ""];
          } else if (l.kind === "pad") {
            value = b.op("Pad", [value, b.ints([0, 0, 1, 0, 0, 0, 0, 1])]);
            [side, skip] = [side + 1, ""];
          }
        }
        return b.op("Identity", [value]);
      });
      await expectSame(graph, seed);
    }),
    { numRuns: 10, seed: 5 },
  );
});
