import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCuts } from "../../src/graph/cuts.js";
import type { Graph, Node, ValueName } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";

/** A graph from lines such as "a b -> c d" (a node that reads a and b and makes c and d). */
function graphOf(...lines: readonly string[]): Graph {
  const words = (text: string | undefined) => (text ?? "").split(" ").filter(Boolean);
  const nodes = lines.map((line): Node => {
    const [inputs, outputs] = line.split("->");
    return { opType: "Op", domain: "", name: "", inputs: words(inputs), outputs: words(outputs), attributes: {} };
  });
  return { ...emptyGraph("g", 17), nodes };
}

/** Whether `target` can be computed from `source` along a path that avoids `without`. */
function reaches(graph: Graph, source: ValueName, target: ValueName, without: ValueName): boolean {
  const seen = new Set([source]);
  for (const node of graph.nodes)
    if (node.inputs.some((name) => seen.has(name)))
      for (const name of node.outputs) if (name !== without) seen.add(name);
  return seen.has(target);
}

/** The definition itself: a value is a cut when removing it parts the target from the source. */
function bruteForce(graph: Graph, source: ValueName, target: ValueName): ValueName[] {
  if (!reaches(graph, source, target, "")) return [];
  return graph.nodes
    .flatMap((node) => node.outputs)
    .filter((name) => name !== target && !reaches(graph, source, target, name));
}

describe("cuts of graphs drawn by hand", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["a chain: every value in between", ["x -> a", "a -> b", "b -> y"], ["a", "b"]],
    ["one node: none", ["x -> y"], []],
    ["a residual block: its ends, not its inside", ["x -> a", "a -> b", "b -> c", "a c -> d", "d -> y"], ["a", "d"]],
    ["two branches and a concat", ["x -> a", "a -> b", "a -> c", "b c -> d", "d -> y"], ["a", "d"]],
    ["a long skip over everything: none", ["x -> a", "a -> b", "x b -> y"], []],
    [
      "dense connections: none within",
      ["x -> a", "a -> b", "a b -> c", "a b c -> d", "d -> e", "e -> y"],
      ["a", "d", "e"],
    ],
    [
      "attention: queries, keys and values come from one value and meet in one",
      ["x -> h", "h -> q", "h -> k", "h -> v", "q k -> s", "s -> p", "p v -> o", "h o -> r", "r -> y"],
      ["h", "r"],
    ],
    ["an exit on the side does not matter", ["x -> a", "a -> e", "e -> exit", "a -> b", "b -> y"], ["a", "b"]],
    ["constants do not count", ["x w -> a", "a w -> b", "w -> c", "b c -> y"], ["a", "b"]],
    ["a node with two outputs that both go on", ["x -> a b", "a b -> c", "c -> y"], ["c"]],
    ["a node with one output that goes on", ["x -> a b", "a -> c", "c -> y"], ["a", "c"]],
    ["a value read twice by one node", ["x -> a", "a a -> b", "b -> y"], ["a", "b"]],
  ])("%s", (_, lines, cuts) => expect(findCuts(graphOf(...lines), "x", "y")).toEqual(cuts));

  test("two outputs: cuts belong to the target", () => {
    const graph = graphOf("x -> a", "a -> b", "b -> early", "a -> c", "c -> y");
    expect(findCuts(graph, "x", "early")).toEqual(["a", "b"]);
    expect(findCuts(graph, "x", "y")).toEqual(["a", "c"]);
  });

  test("a target that does not depend on the source has none", () => {
    expect(findCuts(graphOf("x -> a", "w -> b", "b -> y"), "x", "y")).toEqual([]);
    expect(findCuts(graphOf("x -> a"), "x", "x")).toEqual([]);
  });
});

/** Random graphs: node i reads up to three of the values before it (constants too) and makes one or two. */
const dag = fc
  .array(
    fc.record({
      reads: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      back: fc.integer({ min: 1, max: 4 }),
      two: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((nodes) => {
    const values = ["w", "x"];
    const lines = nodes.map(({ reads, back, two }, i) => {
      const near = values.slice(-back);
      const inputs = reads.map((r, k) => (k === 0 ? near[r % near.length] : values[r % values.length]));
      const outputs = two ? [`v${i}`, `u${i}`] : [`v${i}`];
      values.push(...outputs);
      return `${inputs.join(" ")} -> ${outputs.join(" ")}`;
    });
    return { lines, target: values.at(-1) as string };
  });

test("the sweep finds what the definition says, on random graphs", () => {
  fc.assert(
    fc.property(dag, ({ lines, target }) => {
      const graph = graphOf(...lines);
      expect(findCuts(graph, "x", target)).toEqual(bruteForce(graph, "x", target));
    }),
    { numRuns: 2000 },
  );
});
