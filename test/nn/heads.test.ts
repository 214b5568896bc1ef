import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { HEADS, type HeadName, headFor } from "../../src/nn/heads.js";
import { runReference } from "../../src/runtime/reference.js";
import { failure } from "../support/failure.js";
import { outputShapes, pixels } from "./support.js";

const CLASSES = 3;

/** A head alone, on an input of these sizes (without the batch). */
function headGraph(head: HeadName, dims: readonly number[], opset = 17): Graph {
  const b = new GraphBuilder(emptyGraph("head", opset));
  const value = b.input("x", "float32", ["n", ...dims]);
  const logits = HEADS[head].head({ b, seed: 4, path: "exit0" }, { value, dims }, CLASSES);
  b.output(logits, "float32", ["n", CLASSES]);
  return b.build();
}

const elements = (graph: Graph, name: string): readonly number[] => [
  ...toNumbers(graph.initializers.get(name) as Tensor),
];

/** weight [classes, features] times features, plus bias. */
function linear(graph: Graph, features: readonly number[]): readonly number[] {
  const [weight, bias] = [elements(graph, "exit0.weight"), elements(graph, "exit0.bias")];
  expect(weight).toHaveLength(CLASSES * features.length);
  return bias.map((offset, c) =>
    features.reduce((sum, f, i) => sum + f * (weight[c * features.length + i] ?? 0), offset),
  );
}

function expectLogits(graph: Graph, x: Tensor, expected: readonly number[]): void {
  const got = [...toNumbers(runReference(graph, { x }).exit0)];
  expect(got).toHaveLength(expected.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i], 5);
  });
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("sdn", () => {
  /** Windows of `kernel` over a [c,h,w] image, what is left over dropped; for each: mix * max + (1 - mix) * mean. */
  function mixed(x: Tensor, mix: number, [kh, kw]: readonly [number, number]): readonly number[] {
    const [, channels, height, width] = x.dims as [number, number, number, number];
    const data = toNumbers(x);
    const out: number[] = [];
    for (let c = 0; c < channels; c++)
      for (let row = 0; row + kh <= height; row += kh)
        for (let column = 0; column + kw <= width; column += kw) {
          const window = Array.from(
            { length: kh * kw },
            (_, i) => data[(c * height + row + Math.floor(i / kw)) * width + column + (i % kw)],
          );
          out.push(mix * Math.max(...window) + (1 - mix) * mean(window));
        }
    return out;
  }

  test.each([
    [
      [2, 8, 8],
      [2, 2],
    ],
    [
      [1, 11, 9],
      [2, 2],
    ],
    [
      [2, 16, 4],
      [4, 1],
    ],
    [
      [1, 32, 32],
      [8, 8],
    ],
  ] as const)("of %j pools windows of %j, maximum and mean mixed, before its linear layer", (dims, kernel) => {
    const graph = headGraph("sdn", dims);
    const x = pixels(1, ...dims);
    expect(elements(graph, "exit0.mix")).toEqual([0.5]);
    expectLogits(graph, x, linear(graph, mixed(x, 0.5, kernel)));
    const moved = new Map(graph.initializers).set("exit0.mix", fromNumbers("float32", [], [0.875]));
    expectLogits({ ...graph, initializers: moved }, x, linear(graph, mixed(x, 0.875, kernel)));
  });

  test.each([[[5, 3, 3]], [[2, 2, 16]], [[3, 7, 7]], [[4, 1, 1]]] as const)(
    "of %j is its linear layer alone",
    (dims) => {
      const graph = headGraph("sdn", dims);
      const x = pixels(1, ...dims);
      expect([...graph.initializers.keys()]).toEqual(["exit0.weight", "exit0.bias"]);
      expectLogits(graph, x, linear(graph, [...toNumbers(x)]));
    },
  );
});

test("pool-linear takes the mean of each channel", () => {
  const graph = headGraph("pool-linear", [2, 3, 5]);
  const x = pixels(1, 2, 3, 5);
  const data = [...toNumbers(x)];
  expectLogits(graph, x, linear(graph, [mean(data.slice(0, 15)), mean(data.slice(15))]));
});

test("linear takes a vector as it is", () => {
  const graph = headGraph("linear", [5]);
  const x = pixels(1, 5);
  expectLogits(graph, x, linear(graph, [...toNumbers(x)]));
});

test.each([
  [[4, 6, 6], "sdn"],
  [[5, 8], "mean-linear"],
  [[8], "linear"],
  [[], undefined],
  [[2, 3, 4, 5], undefined],
] as const)("features of sizes %j are read by %s unless another head is chosen", (dims, head) => {
  expect(headFor(dims)).toBe(head);
  expect(headFor(dims, "pool-linear")).toBe(dims.length === 3 ? "pool-linear" : undefined);
});

describe("of tokens", () => {
  const x = pixels(1, 3, 2);
  const [a, b, c, d, e, f] = [...toNumbers(x)] as [number, number, number, number, number, number];

  // The axes of a reduction are an attribute until opset 17, and an input after it.
  test.each([11, 17, 18, 21])("mean-linear takes their mean in opset %i", (opset) => {
    const graph = headGraph("mean-linear", [3, 2], opset);
    expectLogits(graph, x, linear(graph, [(a + c + e) / 3, (b + d + f) / 3]));
  });

  test("token-linear takes the first one", () => {
    const graph = headGraph("token-linear", [3, 2]);
    expectLogits(graph, x, linear(graph, [a, b]));
  });
});

test.each([
  ["sdn", [4, 6, 6]],
  ["pool-linear", [4, 6, 6]],
  ["mean-linear", [5, 8]],
  ["token-linear", [5, 8]],
] as const)("%s gives logits for every sample of a batch", (head, dims) => {
  const graph = headGraph(head, dims);
  expect(outputShapes(graph)).toEqual([["exit0", ["n", CLASSES]]]);
  const both = toNumbers(runReference(graph, { x: pixels(2, ...dims) }).exit0);
  const first = toNumbers(runReference(graph, { x: pixels(1, ...dims) }).exit0);
  expect([...both].slice(0, CLASSES)).toEqual([...first]);
});

test.each([
  ["sdn", [5, 8], "an image [n,channels,height,width]"],
  ["pool-linear", [8], "an image [n,channels,height,width]"],
  ["mean-linear", [4, 6, 6], "tokens [n,tokens,channels]"],
  ["token-linear", [8], "tokens [n,tokens,channels]"],
] as const)("%s refuses sizes %j that it cannot read", (head, dims, wanted) => {
  expect(() => headGraph(head, dims)).toThrow(
    failure(
      "exits/value",
      `head ${head}: "x" is [n,${dims.join(",")}], expected ${wanted}. Choose another head (sdn, pool-linear, mean-linear, token-linear, linear) or another place.`,
    ),
  );
});
