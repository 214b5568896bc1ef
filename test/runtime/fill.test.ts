/** Channels that do not fill blocks: which images are filled with zero channels, and that no answer changes. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { float, int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { fillChannels } from "../../src/runtime/blocked/fill.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { random } from "../support/gradcheck.js";

const [BLOCK, SIDE] = [8, 6];
const PLAIN = ortNode({ threads: 1, rewrite: false });
const PADS = { pads: ints([1, 1, 1, 1]) };

const weights = (dims: number[]): Tensor => fromNumbers("float32", dims, toNumbers(random(dims, dims.length)));

type Body = (b: GraphBuilder, x: ValueName) => ValueName;

function graphOf(body: Body): Graph {
  const b = new GraphBuilder(emptyGraph("fill", 17));
  b.output(body(b, b.input("x", "float32", ["n", 16, SIDE, SIDE])), "float32", undefined);
  return inferShapes(b.build(), opTable);
}

/** A convolution to images of 12 channels, which is what the tests are about. */
const ragged = (b: GraphBuilder, x: ValueName): ValueName =>
  b.op("Conv", [x, b.constant(weights([12, 16, 3, 3]), "in"), b.constant(weights([12]), "shift")], PADS);

/** A convolution from 12 channels to 16. */
const whole = (b: GraphBuilder, x: ValueName): ValueName =>
  b.op("Conv", [x, b.constant(weights([16, 12, 3, 3]), "out")], PADS);

async function answers(graph: Graph): Promise<number[]> {
  const session = await PLAIN.compile(graph);
  const results = await session.run({ x: weights([3, 16, SIDE, SIDE]) });
  await session.release();
  return [...toNumbers(Object.values(results)[0])];
}

/** The zero channels only lengthen sums by zeros, in another order of summation at most. */
async function expectSame(graph: Graph): Promise<void> {
  const [filled, want] = [await answers(fillChannels(graph, BLOCK)), await answers(graph)];
  const most = Math.max(...want.map(Math.abs));
  expect(most).toBeGreaterThan(0);
  expect(Math.max(...want.map((v, i) => Math.abs(v - filled[i])))).toBeLessThanOrEqual(1e-6 * most);
}

const channelsOf = (graph: Graph): unknown[] => graph.nodes.map(({ outputs }) => graph.types.get(outputs[0])?.shape[1]);

describe("images whose channels fill no block get zero channels", () => {
  test.each<[string, Body, number[]]>([
    ["between two convolutions", (b, x) => whole(b, ragged(b, x)), [16, 16]],
    ["through a sum", (b, x) => whole(b, b.op("Add", [ragged(b, x), ragged(b, x)])), [16, 16, 16, 16]],
    ["through an activation that is not 0 at 0", (b, x) => whole(b, b.op("Sigmoid", [ragged(b, x)])), [16, 16, 16]],
    ["through a product with a number", (b, x) => whole(b, b.op("Mul", [ragged(b, x), b.scalar(3)])), [16, 16, 16]],
    [
      "through a depthwise convolution",
      (b, x) =>
        whole(b, b.op("Conv", [ragged(b, x), b.constant(weights([12, 1, 3, 3]), "d")], { ...PADS, group: int(12) })),
      [16, 16, 16],
    ],
    [
      "through a depthwise transposed convolution",
      (b, x) =>
        whole(
          b,
          b.op("ConvTranspose", [ragged(b, x), b.constant(weights([12, 1, 3, 3]), "t")], { ...PADS, group: int(12) }),
        ),
      [16, 16, 16],
    ],
    [
      "into a transposed convolution",
      (b, x) => b.op("ConvTranspose", [ragged(b, x), b.constant(weights([12, 16, 3, 3]), "t")], PADS),
      [16, 16],
    ],
    [
      "out of a transposed convolution with a bias",
      (b, x) =>
        whole(b, b.op("ConvTranspose", [x, b.constant(weights([16, 12, 3, 3]), "t"), b.constant(weights([12]))], PADS)),
      [16, 16],
    ],
  ])("%s", async (_, body, channels) => {
    const graph = graphOf(body);
    expect(channelsOf(graph)).toContain(12);
    expect(channelsOf(fillChannels(graph, BLOCK))).toEqual(channels);
    await expectSame(graph);
  });

  test("and then the whole graph is blocked", () => {
    const graph = graphOf((b, x) => whole(b, b.op("Relu", [ragged(b, x)])));
    const shown = (g: Graph): string =>
      blockedLayout(g, BLOCK)
        .nodes.map((n) => n.opType)
        .join(" ");
    expect(shown(fillChannels(graph, BLOCK))).toBe("ReorderInput Conv Conv ReorderOutput");
    expect(shown(graph)).not.toBe("ReorderInput Conv Conv ReorderOutput");
  });
});

describe("a graph stays as it is", () => {
  test.each<[string, Body]>([
    ["with whole blocks", (b, x) => b.op("Relu", [x])],
    ["with images that it returns", (b, x) => ragged(b, x)],
    [
      "with fewer channels than a block",
      (b, x) => {
        const thin = b.op("Conv", [x, b.constant(weights([3, 16, 1, 1]))]);
        return b.op("Conv", [thin, b.constant(weights([16, 3, 1, 1]))]);
      },
    ],
    ["with an operator that makes infinity of 0", (b, x) => whole(b, b.op("Reciprocal", [ragged(b, x)]))],
    [
      "with an operator that joins channels",
      (b, x) => whole(b, b.op("LpNormalization", [ragged(b, x)], { axis: int(1) })),
    ],
    ["with a factor per channel", (b, x) => whole(b, b.op("Mul", [ragged(b, x), b.constant(weights([12, 1, 1]))]))],
    [
      "with other groups",
      (b, x) => b.op("Conv", [ragged(b, x), b.constant(weights([16, 6, 1, 1]))], { group: int(2) }),
    ],
    [
      "with a depthwise convolution whose images it returns",
      (b, x) => b.op("Conv", [ragged(b, x), b.constant(weights([12, 1, 3, 3]))], { ...PADS, group: int(12) }),
    ],
    [
      "with a sum of images, one of which was read as a shape before",
      (b, x) => {
        const read = ragged(b, x);
        const size = b.op("Cast", [b.op("ReduceProd", [b.op("Shape", [read])], { keepdims: int(0) })], { to: int(1) });
        return b.op("Mul", [whole(b, b.op("Add", [ragged(b, x), read])), size]);
      },
    ],
    [
      "with a sum of images, one of which is also read as a shape",
      (b, x) => {
        const sum = b.op("Add", [ragged(b, x), ragged(b, x)]);
        const size = b.op("Cast", [b.op("ReduceProd", [b.op("Shape", [sum])], { keepdims: int(0) })], { to: int(1) });
        return b.op("Mul", [whole(b, sum), size]);
      },
    ],
  ])("%s", (_, body) => {
    const graph = graphOf(body);
    expect(fillChannels(graph, BLOCK)).toBe(graph);
  });
});

test("a clipped image between convolutions is filled with its gradient's mask", async () => {
  const graph = graphOf((b, x) => {
    const seen = ragged(b, x);
    const clipped = b.op("Clip", [seen, b.scalar(0), b.scalar(0.5)]);
    const mask = b.op("Cast", [b.op("Equal", [seen, clipped])], { to: int(1) });
    return whole(b, b.op("Mul", [mask, b.op("LeakyRelu", [clipped], { alpha: float(0.1) })]));
  });
  expect(channelsOf(fillChannels(graph, BLOCK)).every((channels) => channels === 16)).toBe(true);
  await expectSame(graph);
});
