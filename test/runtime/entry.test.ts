/** @file Taking plain images into the blocked layout: the same numbers, and no sum left outside. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { enterBlocked } from "../../src/runtime/blocked/entry.js";
import { ortNode } from "../../src/runtime/ort-node/index.js";
import { random } from "../support/gradcheck.js";

const CHANNELS = 16;
const [FAST, PLAIN] = [ortNode({ threads: 1 }), ortNode({ threads: 1, rewrite: false })];

type Body = (b: GraphBuilder, x: ValueName) => ValueName;

function graphOf(body: Body, channels = CHANNELS): Graph {
  const b = new GraphBuilder(emptyGraph("entry", 17));
  b.output(body(b, b.input("x", "float32", ["n", channels, 6, 6])), "float32", undefined);
  return inferShapes(b.build(), opTable);
}

const conv = (b: GraphBuilder, x: ValueName, from = CHANNELS, to = from): ValueName =>
  b.op("Conv", [x, b.constant(float32(random([to, from, 3, 3])))], { pads: ints([1, 1, 1, 1]) });
const float32 = (t: Tensor): Tensor => fromNumbers("float32", t.dims, toNumbers(t));
const block = (b: GraphBuilder, x: ValueName): ValueName => b.op("Relu", [b.op("Add", [conv(b, x), x])]);

/** Identity convolutions that the pass adds. */
const entries = (graph: Graph): readonly ValueName[] =>
  enterBlocked(graph, 8).nodes.flatMap((node) =>
    node.outputs[0]?.endsWith("/blocked") ? [node.inputs[0] as string] : [],
  );

async function expectSame(graph: Graph, channels = CHANNELS): Promise<void> {
  const feeds = { x: float32(random([3, channels, 6, 6])) };
  const run = async (backend: typeof FAST) => {
    const session = await backend.compile(graph);
    const results = await session.run(feeds);
    await session.release();
    return Object.values(results).map((t) => toNumbers(t));
  };
  const [fast, plain] = [await run(FAST), await run(PLAIN)];
  plain.forEach((want, k) => {
    const most = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    want.forEach((v, i) => expect(Math.abs((fast[k]?.[i] as number) - v)).toBeLessThanOrEqual(1e-5 * most));
  });
}

describe("plain images that are added to blocked ones are taken in", () => {
  test.each<[string, Body, readonly ValueName[]]>([
    ["the input of a residual chain, once", (b, x) => block(b, block(b, x)), ["x"]],
    [
      "a shortcut that is padded with channels",
      (b, x) => {
        const first = conv(b, x);
        const pads = b.ints([0, 8, 0, 0, 0, 8, 0, 0]);
        const wide = b.op("Pad", [first, pads], {}, "wide");
        return conv(b, b.op("Add", [conv(b, first, CHANNELS, 32), wide]), 32);
      },
      ["wide"],
    ],
    ["nothing where all are blocked", (b, x) => block(b, conv(b, x)), []],
    ["nothing where all are plain", (b, x) => b.op("Add", [b.op("Neg", [x]), x]), []],
    [
      "nothing that is broadcast",
      (b, x) => b.op("Add", [conv(b, x), b.constant(float32(random([1, CHANNELS, 1, 1])))]),
      [],
    ],
  ])("%s", async (_, body, names) => {
    const graph = graphOf(body, CHANNELS);
    expect(entries(graph)).toEqual(names);
    await expectSame(graph);
  });

  test("not where channels do not fill blocks", async () => {
    const graph = graphOf((b, x) => b.op("Add", [conv(b, x, 12), x]), 12);
    expect(entries(graph)).toEqual([]);
    await expectSame(graph, 12);
  });

  test("inside sub-graphs, where the images around them are plain", async () => {
    const inner = new GraphBuilder(emptyGraph("then", 17));
    inner.reserve("x");
    inner.output(block(inner, "x"), "float32", ["n", CHANNELS, 6, 6]);
    const other = new GraphBuilder(emptyGraph("else", 17));
    other.reserve("x");
    other.output(other.op("Neg", ["x"]), "float32", ["n", CHANNELS, 6, 6]);
    const inferred = inferShapes(
      { ...inner.build(), inputs: [{ name: "x", dtype: "float32", shape: ["n", CHANNELS, 6, 6] }] },
      opTable,
    );
    const b = new GraphBuilder(emptyGraph("outer", 17));
    const x = b.input("x", "float32", ["n", CHANNELS, 6, 6]);
    b.setType(x, { dtype: "float32", shape: ["n", CHANNELS, 6, 6] });
    const yes = b.constant(fromNumbers("bool", [], [1]));
    const branches = {
      then_branch: { kind: "graph", value: { ...inferred, inputs: [] } },
      else_branch: { kind: "graph", value: other.build() },
    } as const;
    b.output(b.op("If", [yes], branches), "float32", ["n", CHANNELS, 6, 6]);
    const rewritten = enterBlocked(b.build(), 8);
    const then = rewritten.nodes[0]?.attributes.then_branch;
    expect(then?.kind === "graph" && then.value.nodes.map((node) => node.opType)).toEqual([
      "Conv",
      "Conv",
      "Add",
      "Relu",
    ]);
    expect(then?.kind === "graph" && then.value.nodes[0]?.attributes.group).toEqual(int(CHANNELS));
    await expectSame(b.build());
  });
});
