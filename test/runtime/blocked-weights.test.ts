/** Fed weights in blocks: laid out once, and turned for the gradient of X from there. */
import { describe, expect, test } from "vitest";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { opTable } from "../../src/ops/table.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { expectRight, gradientsOf, type Layer } from "../support/convolution-layer.js";

const LAYER: Layer = { batch: 2, channels: 32, outputs: 48, side: [4, 5], kernel: [3, 3], pads: [1, 1, 1, 1] };

const count = ({ nodes }: Graph, opType: string): number => nodes.filter((node) => node.opType === opType).length;

describe("the kernel of a gradient is turned from the blocks of the kernel itself", () => {
  test.each<[string, Partial<Layer>]>([
    ["3x3", {}],
    ["one block of each in the wider registers", { channels: 16, outputs: 16 }],
    ["a row of taps", { kernel: [1, 3], pads: [0, 1, 0, 1] }],
    ["a column of taps", { kernel: [4, 1], pads: [1, 0, 2, 0] }],
    ["5x5 of another width", { kernel: [5, 4], pads: [2, 1, 2, 2] }],
  ])("%s", async (_, change) => {
    const graph = gradientsOf({ ...LAYER, ...change });
    const blocked = blockedLayout(graph, 8);
    expect([count(graph, "Slice"), count(blocked, "Slice"), count(blocked, "Gather")]).toEqual([1, 0, 1]);
    await expectRight(graph);
  });

  test("one tap: in one step from the plain weights", async () => {
    const graph = gradientsOf({ ...LAYER, kernel: [1, 1], pads: [0, 0, 0, 0] });
    const blocked = blockedLayout(graph, 8);
    const last = blocked.nodes.filter((node) => node.opType === "ReorderInput" && node.attributes.channels_last);
    expect([last.length, count(blocked, "Gather")]).toEqual([1, 0]);
    await expectRight(graph);
  });
});

/** A convolution of x [2,16,6,6] with a kernel that is made of w [16,16,3,3]. */
function withKernel(make: (b: GraphBuilder, w: string) => string, times = 1): Graph {
  const b = new GraphBuilder(emptyGraph("kernels", 17));
  const [x, w] = [b.input("x", "float32", [2, 16, 6, 6]), b.input("w", "float32", [16, 16, 3, 3])];
  const kernel = make(b, w);
  const ends = Array.from({ length: times }).reduce<string>((value) => b.op("Conv", [value, kernel]), x);
  b.output(ends, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

const swapped = (b: GraphBuilder, w: string): string => b.op("Transpose", [w], { perm: ints([1, 0, 2, 3]) });
const sliced = (b: GraphBuilder, w: string, ...parts: readonly (readonly number[])[]): string =>
  b.op("Slice", [w, ...parts.map((part) => b.ints(part))]);

describe("other kernels are laid out as they are", () => {
  test.each<[string, (b: GraphBuilder, w: string) => string]>([
    ["swapped only", swapped],
    ["one axis turned", (b, w) => swapped(b, sliced(b, w, [-1], [-9], [2], [-1]))],
    ["turned and cut", (b, w) => swapped(b, sliced(b, w, [-1, -1], [-3, -9], [2, 3], [-1, -1]))],
    ["every second tap backwards", (b, w) => swapped(b, sliced(b, w, [-1, -1], [-9, -9], [2, 3], [-2, -2]))],
    ["a part forwards", (b, w) => swapped(b, sliced(b, w, [0, 1], [3, 3], [2, 3], [1, 1]))],
    ["channels turned", (b, w) => swapped(b, sliced(b, w, [-1, -1], [-99, -99], [0, 1], [-1, -1]))],
    ["turned, not swapped", (b, w) => sliced(b, w, [-1, -1], [-9, -9], [2, 3], [-1, -1])],
  ])("%s", async (_, make) => {
    const graph = withKernel(make);
    expect(count(blockedLayout(graph, 8), "Gather")).toBe(0);
    await expectRight(graph);
  });

  test("once for all that read them", async () => {
    const graph = withKernel((_, w) => w, 2);
    // The images, and two axes of the weights.
    expect(count(blockedLayout(graph, 8), "ReorderInput")).toBe(3);
    await expectRight(graph);
  });
});
