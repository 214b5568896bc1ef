/** Sums over batch and space in blocked layout, of images and of products of images that are never made. */
import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { reduce, reduceSum } from "../../src/ops/support/emit.js";
import { opTable } from "../../src/ops/table.js";
import { blockedLayout } from "../../src/runtime/blocked/rewrite.js";
import { expectRight } from "../support/convolution-layer.js";

/** Sums of what is made of two blocked images [rows,32,5,6]. */
function sumsOf(
  make: (b: GraphBuilder, y: string, z: string) => readonly string[],
  { opset = 17, rows = 3 }: { readonly opset?: number; readonly rows?: number | string } = {},
): Graph {
  const b = new GraphBuilder(emptyGraph("sums", opset));
  const x = b.input("x", "float32", [rows, 16, 5, 6]);
  const conv = (): string => b.op("Conv", [x, b.input("w", "float32", [32, 16, 1, 1])]);
  for (const name of make(b, conv(), conv())) b.output(name, "float32", undefined);
  return inferShapes(b.build(), opTable);
}

const AXES = [0, 2, 3];
const SUMS: readonly ((b: GraphBuilder, value: string) => string)[] = [
  (b, value) => reduceSum(b, value, AXES, false),
  (b, value) => reduceSum(b, value, AXES, true),
  (b, value) => reduce(b, "ReduceMean", value, AXES, false),
  (b, value) => reduce(b, "ReduceMean", value, AXES, true),
];

const products = (graph: Graph, block: number): number =>
  blockedLayout(graph, block).nodes.filter(
    (node) => node.opType === "Mul" && !node.inputs.some((i) => /^const/.test(i)),
  ).length;

describe("of a product", () => {
  test.each([11, 12, 13, 17, 18, 21])("without the product, opset %i", async (opset) => {
    const graph = sumsOf(
      (b, y, z) => [...SUMS.map((sum) => sum(b, b.op("Mul", [y, z]))), reduceSum(b, b.op("Mul", [y, y]), AXES, false)],
      { opset },
    );
    expect([8, 16].map((block) => products(graph, block))).toEqual([0, 0]);
    await expectRight(graph);
  });

  test("with the product where something else reads it", async () => {
    const graph = sumsOf((b, y, z) => {
      const product = b.op("Mul", [y, z]);
      return [reduceSum(b, product, AXES, false), product];
    });
    expect(products(graph, 8)).toBe(1);
    await expectRight(graph);
  });

  test("of an image and numbers per channel, per sample and for all", async () => {
    const graph = sumsOf((b, y) =>
      [[1, 32, 1, 1], [3, 1, 1, 1], [3, 32, 1, 1], []].map((dims) =>
        reduceSum(b, b.op("Mul", [y, b.input("v", "float32", dims)]), AXES, false),
      ),
    );
    await expectRight(graph);
  });

  test("over a batch that is not known is made as it is", () => {
    const graph = sumsOf((b, y, z) => [reduceSum(b, b.op("Mul", [y, z]), AXES, false)], { rows: "n" });
    expect(products(graph, 8)).toBe(1);
  });
});

test.each([11, 12, 13, 17, 18, 21])("of images, opset %i", (opset) =>
  expectRight(sumsOf((b, y) => SUMS.map((sum) => sum(b, y)), { opset })),
);

test("over other axes stay plain", () =>
  expectRight(
    sumsOf((b, y, z) => {
      const product = b.op("Mul", [y, z]);
      return [
        b.op("ReduceMean", [product], { axes: ints([2, 3]), keepdims: int(0) }),
        b.op("ReduceSum", [b.op("Mul", [z, y])]),
      ];
    }),
  ));
