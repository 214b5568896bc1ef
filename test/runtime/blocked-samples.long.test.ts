/** The blocked layout of what skipped blocks need: one number per sample times images, sums of a sample, rows that are taken out and
 *  put back, and a gate on the mean over space. In blocks of 8 and of 16, and on ONNX Runtime. */
import { describe, expect, test } from "vitest";
import { appendVjp } from "../../src/autodiff/gradient.js";
import { int, ints, string } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { prune } from "../../src/graph/passes/prune.js";
import { reduce, reduceSum } from "../../src/ops/support/emit.js";
import { opTable } from "../../src/ops/table.js";
import { NCHWC } from "../../src/runtime/blocked/layout.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { BLOCKS, expectRight } from "../support/convolution-layer.js";

const [ROWS, CHANNELS, SIDE] = [3, 32, 6];
const SAMPLE = [1, 2, 3];

type Body = (b: GraphBuilder, y: ValueName, z: ValueName, conv: (x: ValueName) => ValueName) => readonly ValueName[];

/** A graph over two blocked images [3,32,6,6]. */
function graphOf(body: Body, opset = 17): Graph {
  const b = new GraphBuilder(emptyGraph("samples", opset));
  const x = b.input("x", "float32", [ROWS, 16, SIDE, SIDE]);
  const conv = (value: ValueName, from = CHANNELS): ValueName =>
    b.op("Conv", [value, b.input("w", "float32", [CHANNELS, from, 3, 3])], { pads: ints([1, 1, 1, 1]) });
  for (const name of body(b, conv(x, 16), conv(x, 16), conv)) b.output(name, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

/** The graph with the gradients of its inputs, the seeds fed. */
function withGradients(graph: Graph): Graph {
  const b = new GraphBuilder(graph);
  const seeds = new Map(
    graph.outputs.map(({ name }) => [name, b.input("seed", "float32", graph.types.get(name)?.shape ?? [])]),
  );
  const wrt = graph.inputs.map((i) => i.name);
  for (const grad of appendVjp(b, graph, opTable, { seeds, wrt }).values()) b.output(grad, "float32", undefined);
  return inferShapes(prune(b.build()), opTable);
}

/** Changes of layout: into blocks, and back. */
const reorders = (graph: Graph, block: number): readonly number[] => {
  const { nodes } = blockedLayout(graph, block);
  return ["ReorderInput", "ReorderOutput"].map(
    (type) => nodes.filter((node) => node.domain === NCHWC && node.opType === type).length,
  );
};

/** Reorders of images with more than one pixel, when the graph's inputs and outputs are the same. */
const inBoth = (graph: Graph): readonly (readonly number[])[] => BLOCKS.map((block) => reorders(graph, block));

const perSample = (b: GraphBuilder): ValueName => b.input("v", "float32", [ROWS, 1, 1, 1]);

describe("one number per sample", () => {
  const all: Body = (b, y, z) => [
    b.op("Mul", [y, perSample(b)]),
    b.op("Mul", [perSample(b), z]),
    b.op("Add", [b.op("Mul", [y, perSample(b)]), z]),
    b.op("Where", [b.op("Greater", [perSample(b), b.scalar(0)]), y, z]),
    b.op("Where", [b.op("Greater", [perSample(b), b.scalar(0)]), b.scalar(0.5), z]),
  ];

  test.each([11, 12, 13, 17, 18, 21])("times images, and choosing between images, opset %i", async (opset) => {
    const graph = graphOf(all, opset);
    await expectRight(graph);
    await expectRight(withGradients(graph));
  });

  test("stays in blocks: only what enters and leaves the graph is reordered", () => {
    // In: the images x, and both axes of two weights. Out: five images.
    expect(inBoth(graphOf(all))).toEqual([
      [5, 5],
      [5, 5],
    ]);
  });

  test("of another batch, or of one sample, is not taken for one", async () => {
    const graph = graphOf((b, y) => [
      b.op("Mul", [b.op("Gather", [y, b.ints([0])]), perSample(b)]),
      b.op("Mul", [y, b.input("one", "float32", [1, 1, 1, 1])]),
      b.op("Mul", [y, b.input("row", "float32", [ROWS, 1, 1, SIDE])]),
    ]);
    await expectRight(graph);
    await expectRight(withGradients(graph));
  });
});

describe("sums over each sample", () => {
  const all: Body = (b, y, z) => [
    reduceSum(b, y, SAMPLE, true),
    reduceSum(b, y, SAMPLE, false),
    reduceSum(b, b.op("Mul", [y, z]), SAMPLE, true),
    reduceSum(b, b.op("Mul", [y, z]), SAMPLE, false),
    reduce(b, "ReduceMean", y, SAMPLE, true),
    reduce(b, "ReduceMean", b.op("Mul", [y, z]), [-1, -3, 2], false),
  ];

  test.each([11, 13, 18, 21])("of images and of products that are not made, opset %i", async (opset) => {
    const graph = graphOf(all, opset);
    await expectRight(graph);
    await expectRight(withGradients(graph));
  });

  test("leave the blocks without a reorder", () => {
    expect(inBoth(graphOf(all))).toEqual([
      [5, 0],
      [5, 0],
    ]);
    const products = blockedLayout(graphOf(all), 8).nodes.filter((node) => node.opType === "Mul");
    // The product under a mean is made, those under sums are not.
    expect(products).toHaveLength(1);
  });
});

describe("rows of a batch", () => {
  const packed: Body = (b, y, z, conv) => {
    const chosen = b.op("Gather", [y, b.ints([2, 0])]);
    const places = b.constant({ dtype: "int64", dims: [2, 1], data: BigInt64Array.of(2n, 0n) });
    const back = b.op("ScatterND", [z, places, b.op("Relu", [conv(chosen)])]);
    return [b.op("Relu", [conv(back)])];
  };

  test("taken out, worked on and put back", async () => {
    const graph = graphOf(packed, 16);
    await expectRight(graph);
    await expectRight(withGradients(graph));
  });

  test("are put back without a reorder", () => {
    // In: the images x, and both axes of four weights. Out: the images.
    expect(inBoth(graphOf(packed, 16))).toEqual([
      [9, 1],
      [9, 1],
    ]);
  });

  test("that are added, or are parts of a sample, stay plain", async () => {
    const places = (b: GraphBuilder, dims: readonly number[], ...values: bigint[]): ValueName =>
      b.constant({ dtype: "int64", dims, data: BigInt64Array.from(values) });
    const graph = graphOf(
      (b, y, z) => [
        b.op("ScatterND", [y, places(b, [1, 1], 1n), b.op("Gather", [z, b.ints([0])])], { reduction: string("add") }),
        b.op("ScatterND", [y, places(b, [1, 2], 1n, 3n), b.op("GatherND", [z, places(b, [1, 2], 0n, 5n)])]),
        // The channels of one sample in reverse: as many sizes as whole rows have.
        b.op("ScatterND", [
          y,
          places(
            b,
            [1, CHANNELS, 2],
            ...Array.from({ length: 2 * CHANNELS }, (_, i) => BigInt(i % 2 ? 31 - (i >> 1) : 1)),
          ),
          b.op("Gather", [z, b.ints([0])]),
        ]),
      ],
      16,
    );
    await expectRight(graph);
  });
});

test("a gate on the mean over space, with its gradient, is right", async () => {
  const graph = graphOf((b, y) => {
    const mean = b.op("Flatten", [b.op("GlobalAveragePool", [y])], { axis: int(1) });
    const score = b.op("Gemm", [mean, b.input("gate", "float32", [CHANNELS, 1])]);
    const value = b.op("Reshape", [b.op("Sigmoid", [score]), b.ints([-1, 1, 1, 1])]);
    return [b.op("Relu", [b.op("Mul", [y, value])])];
  });
  await expectRight(withGradients(graph));
});

describe("a chain of masked blocks with its gradient", () => {
  const chain = (masked: boolean): Graph =>
    withGradients(
      graphOf((b, y, _, conv) => {
        let x = y;
        for (let i = 0; i < 4; i++) {
          const branch = conv(b.op("Relu", [conv(x)]));
          x = b.op("Relu", [b.op("Add", [x, masked ? b.op("Mul", [branch, perSample(b)]) : branch])]);
        }
        return [x];
      }),
    );

  test("needs as many reorders as the plain chain, plus none", () => {
    for (const block of BLOCKS) expect(reorders(chain(true), block)).toEqual(reorders(chain(false), block));
  });

  test("is right", () => expectRight(chain(true)));
});
