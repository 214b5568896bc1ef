import { describe, expect, test } from "vitest";
import type { Dim } from "../../src/core/shape.js";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { float, int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { type Graph, subgraphs } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { distinctNames } from "../../src/graph/scopes.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import type { Tensors } from "../../src/runtime/backend.js";
import { lowerGroupNormalization } from "../../src/runtime/group-normalization.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { random } from "../support/gradcheck.js";

const narrow = (dims: readonly number[], seed: number) => fromNumbers("float32", dims, toNumbers(random(dims, seed)));

/** GroupNormalization of six channels in three groups. */
function graphOf(shape: readonly Dim[], { opset, parameters }: { opset: number; parameters: number }): Graph {
  const b = new GraphBuilder(emptyGraph("groups", opset));
  const x = b.input("x", "float32", shape);
  const [scale, shift] = [b.constant(narrow([parameters], 1)), b.constant(narrow([parameters], 2))];
  b.output(
    b.op("GroupNormalization", [x, scale, shift], { num_groups: int(3), epsilon: float(0.01) }, "y"),
    "float32",
    shape,
  );
  return b.build();
}

async function run(graph: Graph, feeds: Tensors, backend = ortNode({ threads: 1 })): Promise<readonly number[]> {
  const session = await backend.compile(graph);
  const { y } = await session.run(feeds);
  await session.release();
  return [...toNumbers(y)];
}

const types = ({ nodes }: Graph): string[] => nodes.map((node) => node.opType);

describe("GroupNormalization is put in operators that ONNX Runtime has kernels of, and stays what it is:", () => {
  test.each<[string, readonly Dim[], readonly number[], number, number]>([
    ["scales per channel", ["n", 6, 4, 5], [2, 6, 4, 5], 21, 6],
    ["scales per group", ["n", 6, 4, 5], [2, 6, 4, 5], 18, 3],
    ["images of any size", ["n", 6, "h", "w"], [2, 6, 3, 4], 21, 6],
    ["one spatial axis", [1, 6, 7], [1, 6, 7], 21, 6],
  ])("%s", async (_, shape, dims, opset, parameters) => {
    const graph = graphOf(shape, { opset, parameters });
    const lowered = lowerGroupNormalization(inferShapes(graph, opTable));
    expect(types(lowered)).toContain("InstanceNormalization");
    expect(types(lowered)).not.toContain("GroupNormalization");
    const x = narrow(dims, 3);
    const [got, expected] = [await run(graph, { x }), await run(graph, { x }, referenceBackend)];
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });

  test("in a sub-graph too", async () => {
    const inner = inferShapes(graphOf([2, 6, 4, 5], { opset: 21, parameters: 6 }), opTable);
    const branch = { kind: "graph", value: { ...inner, inputs: [] } } as const;
    const b = new GraphBuilder(emptyGraph("if", 21));
    b.input("x", "float32", [2, 6, 4, 5]);
    const always = b.constant(fromNumbers("bool", [], [1]));
    b.output(b.op("If", [always], { then_branch: branch, else_branch: branch }, "y"), "float32", [2, 6, 4, 5]);
    const graph = distinctNames(b.build());
    const [lowered] = lowerGroupNormalization(graph).nodes.flatMap(subgraphs) as [Graph];
    expect(types(lowered)).not.toContain("GroupNormalization");
    const x = narrow([2, 6, 4, 5], 3);
    expect(await run(graph, { x })).toEqual(await run(inner, { x }));
  });
});

test("what cannot be is left to ONNX Runtime: types that are not known", () => {
  const graph = graphOf(["n", 6, 4, 4], { opset: 21, parameters: 6 });
  expect(types(lowerGroupNormalization(graph))).toEqual(["GroupNormalization"]);
});

test("a graph without one is the same graph", () => {
  const graph = new GraphBuilder(emptyGraph("none", 21)).build();
  expect(lowerGroupNormalization(graph)).toBe(graph);
});
