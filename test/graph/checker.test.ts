import { describe, expect, test } from "vitest";
import { DynnError } from "../../src/core/errors.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { checkGraph, sortNodes } from "../../src/graph/checker.js";
import type { Graph, Node } from "../../src/graph/graph.js";
import { reads } from "../../src/graph/graph.js";
import { emptyGraph, type OpTable } from "../../src/graph/op.js";

const value = (name: string) => ({ name, dtype: "float32" as const, shape: ["n"] });
const node = (opType: string, inputs: readonly string[], outputs: readonly string[], subgraph?: Graph): Node => ({
  opType,
  domain: "",
  name: "",
  inputs,
  outputs,
  attributes: subgraph ? { body: { kind: "graph", value: subgraph } } : {},
});
const graph = (nodes: readonly Node[], parts: Partial<Graph> = {}): Graph => ({
  ...emptyGraph("g", 17),
  inputs: [value("x")],
  outputs: [value("y")],
  nodes,
  ...parts,
});
const body = (nodes: readonly Node[], parts: Partial<Graph> = {}): Graph => ({
  ...emptyGraph("body", 17),
  outputs: [value("z")],
  nodes,
  ...parts,
});
const constants = (...names: readonly string[]) =>
  new Map(names.map((name) => [name, fromNumbers("float32", [1], [0])]));

const textOf = (g: Graph, ops?: OpTable): string => {
  try {
    checkGraph(g, ops);
    return "fine";
  } catch (error) {
    return error instanceof DynnError ? error.message : `not a DynnError: ${error}`;
  }
};

describe("a graph is well formed", () => {
  test.each<[string, Graph]>([
    [
      "when each value is made once, before it is read",
      graph([node("Relu", ["x"], ["h"]), node("Add", ["h", "w"], ["y"])], { initializers: constants("w") }),
    ],
    [
      "with inputs and outputs left out",
      graph([node("Clip", ["x", "", "x"], ["y", ""]), node("Relu", ["x"], ["", "k"])]),
    ],
    [
      "when an output is an input or a constant",
      graph([node("Relu", ["x"], ["y"])], {
        outputs: [value("x"), value("y"), value("w")],
        initializers: constants("w"),
      }),
    ],
    [
      "when a sub-graph reads names from around it",
      graph([node("Relu", ["x"], ["h"]), node("If", ["x"], ["y"], body([node("Add", ["h", "x"], ["z"])]))]),
    ],
    [
      "when a sub-graph hides a name from around it",
      graph([node("Loop", ["x"], ["y"], body([node("Relu", ["x"], ["z"])], { inputs: [value("x")] }))]),
    ],
    [
      "when two sub-graphs use one name",
      graph([
        node("If", ["x"], ["h"], body([node("Neg", ["x"], ["z"])])),
        node("If", ["h"], ["y"], body([node("Neg", ["h"], ["z"])])),
      ]),
    ],
  ])("%s", (_, g) => {
    expect(textOf(g)).toBe("fine");
  });
});

describe("a graph is refused", () => {
  const relu = node("Relu", ["x"], ["y"]);
  test.each<[string, Graph, string]>([
    ["without nodes", graph([]), 'graph "g": it has no nodes. Export the model again. [model/empty]'],
    [
      "without outputs",
      graph([relu], { outputs: [] }),
      'graph "g": it has no outputs. Export the model again. [model/empty]',
    ],
    [
      "with two inputs of one name",
      graph([relu], { inputs: [value("x"), value("x")] }),
      'input "x": the name "x" is already taken in graph "g". Give every value its own name. [model/duplicate]',
    ],
    [
      "with an input that is also a constant",
      graph([relu], { initializers: constants("x") }),
      'initializer "x": the name "x" is already taken in graph "g". Give every value its own name. [model/duplicate]',
    ],
    [
      "with two makers of one value",
      graph([relu, node("Neg", ["x"], ["y"])]),
      'Neg "y": the name "y" is already taken in graph "g". Give every value its own name. [model/duplicate]',
    ],
    [
      "with an output listed twice",
      graph([relu], { outputs: [value("y"), value("y")] }),
      'output "y": graph "g" lists it twice. List every output once. [model/duplicate]',
    ],
    [
      "with an input that nothing makes",
      graph([node("Add", ["x", "w"], ["y"])]),
      'Add "y": nothing makes its input "w". Export the model again. [model/dangling]',
    ],
    [
      "with an output that nothing makes",
      graph([relu], { outputs: [value("q")] }),
      'output "q": nothing in graph "g" makes it. Export the model again. [model/dangling]',
    ],
    [
      "with a value read before it is made",
      graph([node("Neg", ["h"], ["y"]), node("Relu", ["x"], ["h"])]),
      'Neg "y": it reads "h" before Relu "h" makes it. Sort the nodes with sortNodes. [model/order]',
    ],
    [
      "with a loop",
      graph([node("Add", ["x", "h"], ["y"]), node("Neg", ["y"], ["h"])]),
      'Neg "h": its input "y" depends on its own output. Export the model without the loop. [model/cycle]',
    ],
    [
      "with a node that reads itself",
      graph([node("Add", ["x", "y"], ["y"])]),
      'Add "y": its input "y" depends on its own output. Export the model without the loop. [model/cycle]',
    ],
    [
      "with a sub-graph that reads what nothing makes",
      graph([node("If", ["x"], ["y"], body([node("Neg", ["q"], ["z"])]))]),
      'Neg "z": nothing makes its input "q". Export the model again. [model/dangling]',
    ],
    [
      "with a sub-graph that reads what is made later",
      graph([node("If", ["x"], ["y"], body([node("Neg", ["h"], ["z"])])), node("Relu", ["x"], ["h"])]),
      'Neg "z": nothing makes its input "h". Export the model again. [model/dangling]',
    ],
    [
      "with a value of one sub-graph read outside it",
      graph([node("If", ["x"], ["h"], body([node("Neg", ["x"], ["z"])])), node("Relu", ["z"], ["y"])]),
      'Relu "y": nothing makes its input "z". Export the model again. [model/dangling]',
    ],
    [
      "with a sub-graph without outputs",
      graph([node("If", ["x"], ["y"], body([], { outputs: [] }))]),
      'graph "body": it has no outputs. Export the model again. [model/empty]',
    ],
  ])("%s", (_, g, text) => {
    expect(textOf(g)).toBe(text);
  });

  test("with an operator that is not in the table, in a sub-graph too", () => {
    const ops: OpTable = {
      has: (n) => n.opType !== "Odd",
      get: (n) => {
        if (n.opType === "Odd") throw new DynnError("model/op", "Odd: unknown.");
        return undefined as never;
      },
    };
    expect(textOf(graph([relu]), ops)).toBe("fine");
    expect(textOf(graph([node("Odd", ["x"], ["y"])]), ops)).toBe("Odd: unknown. [model/op]");
    expect(textOf(graph([node("If", ["x"], ["y"], body([node("Odd", ["x"], ["z"])]))]), ops)).toBe(
      "Odd: unknown. [model/op]",
    );
  });
});

describe("sortNodes", () => {
  const names = (nodes: readonly Node[]) => nodes.map((n) => n.outputs[0]).join("");

  test("leaves sorted nodes as they are", () => {
    const nodes = [
      node("A", ["x"], ["b"]),
      node("A", ["x"], ["a"]),
      node("A", ["a", "b"], ["c"]),
      node("A", ["a"], ["d"]),
    ];
    expect(sortNodes(nodes)).toEqual(nodes);
  });

  test("moves a node's makers before it, in the order in which it reads them", () => {
    const nodes = [
      node("A", ["a", "b"], ["c"]),
      node("A", ["x"], ["b"]),
      node("A", ["x"], ["a"]),
      node("A", ["x"], ["d"]),
    ];
    expect(names(sortNodes(nodes))).toBe("abcd");
  });

  test("counts what a sub-graph reads from around it", () => {
    const inner = node("If", ["x"], ["c"], body([node("If", ["x"], ["z"], body([node("Neg", ["a"], ["z"])]))]));
    expect(reads(inner)).toEqual(["x", "x", "a"]);
    expect(names(sortNodes([inner, node("A", ["x"], ["a"])]))).toBe("ac");
  });

  test("takes a long chain in reverse without running out of stack", () => {
    const chain = Array.from({ length: 20000 }, (_, i) => node("A", [`${i}`], [`${i + 1}`]));
    expect(sortNodes([...chain].reverse())).toEqual(chain);
  });
});
