import { expect, test } from "vitest";
import { int64s } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { subgraphs } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { distinctNames } from "../../src/graph/scopes.js";

const shared = int64s([1]);

/** x -> y = x + one; if: the branch hides y and one of its own, and reads the outer x. */
function nested(): Graph {
  const inner = new GraphBuilder({
    ...emptyGraph("inner", 17),
    initializers: new Map([
      ["one", shared],
      ["two", int64s([2])],
    ]),
  });
  inner.reserve("x");
  inner.output(inner.op("Add", [inner.op("Add", ["x", "one"], {}, "y"), "two"], {}, "z"), "int64", ["n"]);
  const b = new GraphBuilder({
    ...emptyGraph("outer", 17),
    initializers: new Map([
      ["one", shared],
      ["two", int64s([3])],
    ]),
  });
  const x = b.input("x", "int64", ["n"]);
  const y = b.op("Add", [x, "one"], {}, "y");
  const branch = { kind: "graph", value: inner.build() } as const;
  b.output(b.op("If", [b.op("Add", [y, "two"])], { then_branch: branch, else_branch: branch }, "out"), "int64", ["n"]);
  return b.build();
}

test("a name that a graph around has too is changed, with all that read it", () => {
  const graph = distinctNames(nested());
  checkGraph(graph);
  const [inner, twin] = graph.nodes.flatMap(subgraphs) as [Graph, Graph];
  expect(inner.nodes.map((n) => [n.inputs, n.outputs])).toEqual([
    [["x", "one"], ["y/1"]],
    [["y/1", "two/1"], ["z"]],
  ]);
  expect(twin.nodes.flatMap((n) => n.outputs)).toEqual(["y/2", "z/1"]);
});

test("a constant that a graph around holds is not stored again", () => {
  const [inner] = distinctNames(nested()).nodes.flatMap(subgraphs) as [Graph];
  expect([...inner.initializers.keys()]).toEqual(["two/1"]);
});

test("values of the outermost graph get the names that are asked for, and others give way", () => {
  const graph = distinctNames(nested(), new Map([["out", "y"]]));
  expect(graph.outputs.map(({ name }) => name)).toEqual(["y"]);
  expect(graph.nodes[0]?.outputs).toEqual(["y/1"]);
  checkGraph(graph);
});
