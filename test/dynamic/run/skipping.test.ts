/** @file The skipping form of blocks of many shapes: what goes into the `If`, and the values of the masked form. */
import { describe, expect, test } from "vitest";
import { uniform } from "../../../src/core/rng.js";
import { fromNumbers, type Tensor } from "../../../src/core/tensor.js";
import { writeMetadata } from "../../../src/dynamic/model/metadata.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { skipping } from "../../../src/dynamic/run/skipping/index.js";
import { int, ints } from "../../../src/graph/attributes.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import { checkGraph } from "../../../src/graph/checker.js";
import { type Graph, type Node, subgraphs, type ValueName } from "../../../src/graph/graph.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { ortNode } from "../../../src/node/ort-node/index.js";

const [CHANNELS, SIDE, ROWS] = [4, 4, 6];
const backend = ortNode({ threads: 1, rewrite: false });

const numbers = (dims: readonly number[], seed: number, low = -1): Tensor =>
  fromNumbers("float32", dims, [
    ...uniform(
      { seed, sample: 0, purpose: "test", step: 3 },
      dims.reduce((a, d) => a * d, 1),
      low,
      1,
    ),
  ]);

class Net {
  readonly b = new GraphBuilder(emptyGraph("net", 17));
  readonly gates: { name: string; score: string; value: string; branch: string }[] = [];
  readonly image = this.b.input("image", "float32", ["n", CHANNELS, SIDE, SIDE]);

  conv(x: ValueName, seed: number): ValueName {
    const weight = this.b.constant(numbers([CHANNELS, CHANNELS, 3, 3], seed), "weight");
    return this.b.op("Conv", [x, weight], { pads: ints([1, 1, 1, 1]) });
  }

  /** The branch times the gate's value. Half of the images open a gate. */
  gated(branch: ValueName, sign = 1): ValueName {
    const { b } = this;
    const mean = b.op("ReduceMean", [this.image], { axes: ints([1, 2, 3]), keepdims: int(0) });
    const score = b.op("Mul", [b.op("Sub", [mean, b.scalar(0.5)]), b.scalar(sign)], {}, "score");
    const open = b.op("Cast", [b.op("GreaterOrEqual", [score, b.scalar(0)])], { to: int(1) });
    const value = b.op("Reshape", [open, b.ints([-1, 1, 1, 1])], {}, "value");
    this.gates.push({ name: `gate${this.gates.length}`, score, value, branch });
    return b.op("Mul", [branch, value]);
  }

  /** Features to logits. */
  model(last: ValueName) {
    const { b } = this;
    const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [last])]);
    b.output(b.op("Gemm", [pooled, b.constant(numbers([CHANNELS, 3], 9), "head")], {}, "logits"), "float32", undefined);
    return dynamicModel({
      graph: b.build(),
      metadata: writeMetadata(this.gates.length > 0 ? { gates: this.gates } : {}),
    });
  }
}

/** Operators in order, sub-graphs in brackets. */
const shown = (graph: Graph): string => graph.nodes.map(shownNode).join(" ");
const shownNode = (node: Node): string =>
  node.opType +
  subgraphs(node)
    .map((inner) => `[${shown(inner)}]`)
    .join("");
const ifsOf = (graph: Graph): string[] => graph.nodes.filter(({ opType }) => opType === "If").map(shownNode);

/** Rows of rising brightness. */
const images = (rows: readonly number[]): Tensor => {
  const size = CHANNELS * SIDE * SIDE;
  const noise = numbers([ROWS, CHANNELS, SIDE, SIDE], 7, 0).data as Float32Array;
  const all = rows.flatMap((row) =>
    [...noise.subarray(row * size, (row + 1) * size)].map((v) => (v * (row + 1)) / 3.5),
  );
  return fromNumbers("float32", [rows.length, CHANNELS, SIDE, SIDE], all);
};

async function run(graph: Graph, image: Tensor): Promise<number[]> {
  const session = await backend.compile(graph);
  const { logits } = await session.run({ image });
  await session.release();
  return [...(logits.data as Float32Array)];
}

/** The blocks of the test, by what is special. The last two columns: the `If`s of a single sample and of a batch. */
const BLOCKS: [string, (net: Net) => ValueName, string[], string[]][] = [
  [
    "a sum with a ReLU, behind a ReLU",
    (net) => {
      const x = net.b.op("Relu", [net.image]);
      return net.b.op("Relu", [net.b.op("Add", [x, net.gated(net.conv(x, 1))])]);
    },
    ["If[Conv Add Relu][Identity]"],
    ["If[Reshape Gather Conv Add Relu Reshape ScatterND][Identity]"],
  ],
  [
    "a sum with a ReLU, behind another operator",
    (net) => {
      const x = net.b.op("Neg", [net.image]);
      return net.b.op("Relu", [net.b.op("Add", [net.gated(net.conv(x, 1)), x])]);
    },
    ["If[Conv Add Relu][Relu]"],
    ["If[Reshape Gather Conv Add Relu Reshape Relu ScatterND][Relu]"],
  ],
  [
    "a sum with two readers",
    (net) => {
      const sum = net.b.op("Add", [net.image, net.gated(net.conv(net.image, 1))]);
      return net.b.op("Sub", [net.b.op("Relu", [sum]), net.b.op("Tanh", [sum])]);
    },
    ["If[Conv Add][Identity]"],
    ["If[Reshape Gather Conv Add Reshape ScatterND][Identity]"],
  ],
  [
    "two branches in one sum",
    (net) => net.b.op("Add", [net.gated(net.conv(net.image, 1)), net.gated(net.conv(net.image, 2), -1)]),
    ["If[Conv Identity][Concat ConstantOfShape]", "If[Conv Add][Identity]"],
    [
      "If[Reshape Gather Conv Identity Reshape Reshape Shape Concat ConstantOfShape ScatterND][Reshape Shape Concat ConstantOfShape]",
      "If[Reshape Gather Gather Conv Add Reshape ScatterND][Identity]",
    ],
  ],
  [
    "a sum with a smaller shortcut",
    (net) => net.b.op("Add", [net.b.op("GlobalAveragePool", [net.image]), net.gated(net.conv(net.image, 1))]),
    ["If[Conv Identity][Concat ConstantOfShape]"],
    [
      "If[Reshape Gather Conv Identity Reshape Reshape Shape Concat ConstantOfShape ScatterND][Reshape Shape Concat ConstantOfShape]",
    ],
  ],
  [
    "no sum",
    (net) => net.b.op("Sub", [net.image, net.gated(net.conv(net.image, 1))]),
    ["If[Conv Identity][Concat ConstantOfShape]"],
    [
      "If[Reshape Gather Conv Identity Reshape Reshape Shape Concat ConstantOfShape ScatterND][Reshape Shape Concat ConstantOfShape]",
    ],
  ],
  [
    "a branch that reads two values",
    (net) => {
      const [x, y] = [net.b.op("Tanh", [net.image]), net.b.op("Neg", [net.image])];
      return net.b.op("Add", [net.b.op("Add", [x, y]), net.gated(net.b.op("Mul", [net.conv(x, 1), y]))]);
    },
    ["If[Conv Mul Add][Identity]"],
    ["If[Reshape Gather Gather Gather Conv Mul Add Reshape ScatterND][Identity]"],
  ],
  [
    "a branch that reads the number of rows",
    (net) => {
      const { b, image } = net;
      const shape = b.op("Shape", [image]);
      const other = b.op("Cast", [b.op("ReduceSum", [shape], { keepdims: int(0) })], { to: int(1) });
      const count = b.op("Gather", [shape, b.scalar(0, "int64")]);
      const flat = b.op("Concat", [b.op("Reshape", [count, b.ints([1])]), b.ints([CHANNELS * SIDE * SIDE])], {
        axis: int(0),
      });
      const branch = b.op("Reshape", [b.op("Reshape", [net.conv(image, 1), flat]), shape]);
      const last = b.op("Add", [image, net.gated(branch)]);
      return b.op("Sub", [last, b.op("Mul", [other, b.scalar(0)])]);
    },
    ["If[Gather Reshape Concat Conv Reshape Reshape Add][Identity]"],
    ["If[Reshape Gather Shape Gather Reshape Concat Conv Reshape Reshape Add Reshape ScatterND][Identity]"],
  ],
];

describe("a block with", () => {
  test.each(BLOCKS)("%s", async (_name, make, single, packed) => {
    const net = new Net();
    const model = net.model(make(net));
    const forms = [true, false].map((one) => skipping(model.graph, model.gates, { single: one }));
    const expected = [single, packed];
    forms.forEach((form, k) => {
      checkGraph(form);
      expect(ifsOf(form)).toHaveLength(model.gates.length);
      expect(ifsOf(form)).toEqual(expected[k]);
      expect(shown(form).replace(/\[.*?\]\[.*?\]/g, "")).not.toContain("Conv");
    });
    const outside = await run(model.graph, images([...Array(ROWS).keys()]));
    expect(new Set(outside).size).toBeGreaterThan(ROWS);
    for (const rows of [[0, 1, 2, 3, 4, 5], [5, 4], [0, 1], [3]]) {
      const wanted = await run(model.graph, images(rows));
      for (const form of rows.length === 1 ? forms : forms.slice(1)) {
        const found = await run(form, images(rows));
        wanted.forEach((v, i) => expect(Math.abs(found[i] - v)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(v))));
      }
    }
  });

  test("no gate stays as it is", () => {
    const net = new Net();
    const { graph } = net.model(net.conv(net.image, 1));
    expect(skipping(graph, [], { single: true })).toBe(graph);
  });

  test("rows of both kinds: the images open and close gates", async () => {
    const net = new Net();
    const model = net.model(net.b.op("Add", [net.image, net.gated(net.conv(net.image, 1))]));
    const [{ score }] = model.gates;
    const reading = { ...model.graph, outputs: [{ name: score, dtype: "float32", shape: ["n"] }] } as const;
    const session = await backend.compile(reading);
    const results = await session.run({ image: images([0, 1, 2, 3, 4, 5]) });
    await session.release();
    const open = [...(results[score].data as Float32Array)].map((v) => v >= 0);
    expect(new Set(open).size).toBe(2);
    expect([open[0], open[1], open[5], open[4]]).toEqual([false, false, true, true]);
  });
});
