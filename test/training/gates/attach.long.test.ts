/** Gates on residual networks: what they attach to, what closing them leaves, and that the file keeps its names when it is read. */
import { describe, expect, test } from "vitest";
import { fromNumbers, type Tensor, toNumbers } from "../../../src/core/tensor.js";
import { GraphBuilder } from "../../../src/graph/builder.js";
import { macsOf, nodeMacs } from "../../../src/graph/cost.js";
import type { Graph } from "../../../src/graph/graph.js";
import { inferShapes } from "../../../src/graph/infer.js";
import { emptyGraph } from "../../../src/graph/op.js";
import { findResidualBlocks } from "../../../src/graph/residual.js";
import { ARCHITECTURES } from "../../../src/nn/architectures.js";
import { GATE_PARAMETER, GATES, type GateName } from "../../../src/nn/gates/index.js";
import { pooledGate } from "../../../src/nn/gates/pooled.js";
import { readModel } from "../../../src/onnx/read.js";
import { opTable } from "../../../src/ops/table.js";
import { runReference } from "../../../src/runtime/reference.js";
import { attachGates, type GatedGraph } from "../../../src/training/gates/attach.js";
import { namedBlocks } from "../../../src/training/gates/sites.js";
import { trainingForm } from "../../../src/training/step/training-form.js";
import { random } from "../../support/gradcheck.js";
import { referenceFile } from "../../support/reference-cases.js";

const ROWS = 3;
const SIDE = 8;
const resnet20 = (): Graph => ARCHITECTURES.resnet20.make({ classes: 3, imageSize: SIDE, width: 0.25, seed: 1 }).graph;

const images = (): Tensor =>
  fromNumbers("float32", [ROWS, 3, SIDE, SIDE], toNumbers(random([ROWS, 3, SIDE, SIDE], 4, 0, 1)));

const valuesOf = (graph: Graph, names: readonly string[]): readonly (readonly number[])[] => {
  const results = runReference(graph, { images: images() }, opTable, names);
  return names.map((name) => [...toNumbers(results[name])]);
};

/** The network with the score of each gate set by hand. */
function withScores({ graph, gates }: GatedGraph, scores: readonly (readonly number[])[]): Graph {
  const nodes = graph.nodes.filter((node) => !gates.some(({ score }) => node.outputs.includes(score)));
  const initializers = new Map(graph.initializers);
  gates.forEach(({ score }, k) => initializers.set(score, fromNumbers("float32", [ROWS], scores[k])));
  return { ...graph, nodes, initializers, types: new Map() };
}

describe("residual blocks are found", () => {
  test.each([
    ["resnet20", 9, 2],
    ["resnet56", 27, 2],
    ["wide-resnet-32-4", 15, 3],
  ] as const)("in %s: %i, of which %i change the size", (name, count, changing) => {
    const { graph } = ARCHITECTURES[name].make({ classes: 3, imageSize: 16, width: 0.25 });
    const blocks = findResidualBlocks(graph, opTable);
    expect(blocks).toHaveLength(count);
    expect(blocks.filter(({ identity }) => !identity)).toHaveLength(changing);
  });

  test("in an export of MobileNetV2, with the names that its modules have", () => {
    const { graph } = readModel(referenceFile("gradients/mobilenet_v2/model.onnx"));
    const names = namedBlocks(graph).map(({ name }) => name);
    expect(names).toEqual([1, 3, 5, 6, 8, 9, 10, 12, 13, 15, 16].map((i) => `features.${i}`));
    const { gates } = attachGates(graph, { gate: "pooled" });
    expect(gates.map(({ name }) => name)).toEqual(names.slice(1));
    expect(gates[0]).toMatchObject({
      value: "features.3.gate",
      branch: "/features/features.3/conv/conv.2/Conv_output_0",
    });
  });

  test("in no network without sums", () => {
    for (const name of ["vgg16", "mobilenet", "msdnet"] as const)
      expect(
        findResidualBlocks(ARCHITECTURES[name].make({ classes: 3, imageSize: 32, width: 0.25 }).graph, opTable),
      ).toEqual([]);
  });

  test("with the work of their two convolutions", () => {
    const blocks = findResidualBlocks(ARCHITECTURES.resnet20.make({ classes: 10, imageSize: 32 }).graph, opTable);
    // skipping.md 1.0: 4.719 M in each stage, 3.539 M where the size changes.
    const [same, changing] = [2 * 9 * 16 * 16 * 32 ** 2, 9 * (16 * 32 + 32 * 32) * 16 ** 2];
    expect(blocks.map(({ macs }) => macs)).toEqual([same, same, same, changing, same, same, changing, same, same]);
  });
});

describe.each(Object.keys(GATES) as GateName[])("gates: %s", (gate) => {
  const made = attachGates(resnet20(), { gate, seed: 5 });

  test("stand on every block of one size but the first, by name", () => {
    expect(made.gates.map(({ name }) => name)).toEqual([
      "stage1.block1",
      "stage1.block2",
      "stage2.block1",
      "stage2.block2",
      "stage3.block1",
      "stage3.block2",
    ]);
    expect(made.gates[0]).toMatchObject({
      score: "stage1.block1.gate.score",
      value: "stage1.block1.gate",
      branch: "stage1.block1.bn2",
    });
    expect(attachGates(resnet20(), { gate, places: "all" }).gates).toHaveLength(8);
  });

  test("have scores [n] and values [n,1,1,1], open at first, and change no answer then", () => {
    const typed = inferShapes(made.graph, opTable);
    for (const { score, value } of made.gates) {
      expect(typed.types.get(score)).toMatchObject({ dtype: "float32", shape: ["n"] });
      expect(typed.types.get(value)).toMatchObject({ dtype: "float32", shape: ["n", 1, 1, 1] });
    }
    const [scores] = valuesOf(made.graph, [made.gates[3]?.score]);
    for (const z of scores) expect(z).toBeCloseTo(2, 1);
    const [gated, plain] = [made.graph, resnet20()].map((graph) => valuesOf(graph, ["logits"])[0]);
    expect(gated).toEqual(plain);
  });

  test("close one sample's block, and the block's input goes on", () => {
    const scores = made.gates.map((_, k) => Array.from({ length: ROWS }, (__, i) => (k === 2 && i === 1 ? -1e-30 : 0)));
    const graph = withScores(made, scores);
    const names = ["stage2.block0.out", "stage2.block1.out", "stage2.block1.gate"];
    const [before, after, value] = valuesOf(graph, names) as [number[], number[], number[]];
    expect(value).toEqual([1, 0, 1]);
    const size = before.length / ROWS;
    for (let i = 0; i < ROWS; i++) {
      const [x, y] = [before, after].map((all) => all.slice(i * size, (i + 1) * size));
      if (i === 1) expect(y).toEqual(x);
      else expect(y).not.toEqual(x);
    }
  });

  test("have parameters of their own, whose names tell them from the network's", () => {
    const own = [...made.graph.initializers.keys()].filter((name) => GATE_PARAMETER.test(name));
    expect(own.length).toBeGreaterThan(0);
    for (const name of resnet20().initializers.keys()) {
      expect(GATE_PARAMETER.test(name), name).toBe(false);
      expect(made.graph.initializers.get(name)?.data).toEqual(resnet20().initializers.get(name)?.data);
    }
    expect(attachGates(resnet20(), { gate, seed: 6 }).graph.initializers.get(own[0])?.data).not.toEqual(
      made.graph.initializers.get(own[0])?.data,
    );
  });
});

test("the work of gates is that of the literature", () => {
  const plain = ARCHITECTURES.resnet20.make({ classes: 10, imageSize: 32 }).graph;
  const cost = (graph: Graph): number => macsOf(graph, ["logits"], nodeMacs(inferShapes(graph, opTable), opTable));
  const work = (gate: GateName): number => cost(attachGates(plain, { gate }).graph) - cost(plain);
  // skipping.md 1.0, with one score where ConvNet-AIG has two: 16 (c + 1) for c channels; two gates in each stage.
  expect(work("pooled")).toBeGreaterThanOrEqual(2 * (16 * 17 + 16 * 33 + 16 * 65));
  expect(work("pooled")).toBeLessThan(2 * (16 * 17 + 16 * 33 + 16 * 65) + 1);
  expect(work("policy") / 1e6).toBeCloseTo(12.24, 1);
});

test("a network without residual blocks is refused", () => {
  const { graph } = ARCHITECTURES.vgg16.make({ classes: 3, imageSize: 32, width: 0.25 });
  expect(() => attachGates(graph, { gate: "pooled" })).toThrow(
    expect.objectContaining({ code: "training/config", message: expect.stringContaining("has 0 residual blocks") }),
  );
});

test("a pooled gate tells images apart whose means differ by a hundredth", () => {
  const b = new GraphBuilder(emptyGraph("gate", 17));
  const x = { value: b.input("x", "float32", [ROWS, 4, 2, 2]), dims: [4, 2, 2] };
  const at = { b, seed: 2, path: "gate" };
  const score = pooledGate({ at, image: x, count: 1 })(at, x);
  b.output(score.value, "float32", [ROWS, 1]);
  // First weights of size 1 in place of 0.001, so that the score has the size of its features.
  const larger = (t: Tensor): Tensor => ({ ...t, data: Float32Array.from(toNumbers(t), (v) => v * 1000) });
  const made = b.build();
  const weights = [...made.initializers].map(
    ([name, t]) => [name, name.endsWith("fc2.weight") ? larger(t) : t] as const,
  );
  const graph = inferShapes({ ...made, initializers: new Map(weights) }, opTable);
  const { graph: form, statistics } = trainingForm(graph, { batch: ROWS, trained: [], frozen: false });
  const alike = toNumbers(random([ROWS, 4, 2, 2], 9, 0, 1)).map((v) => 5 + 0.1 * v);
  const feeds = Object.fromEntries(statistics.map(({ name }) => [name, graph.initializers.get(name) as Tensor]));
  const results = runReference(form, { x: fromNumbers("float32", [ROWS, 4, 2, 2], alike), ...feeds }, opTable, [
    score.value,
  ]);
  const scores = [...toNumbers(results[score.value])];
  expect(Math.max(...scores) - Math.min(...scores)).toBeGreaterThan(0.5);
});
