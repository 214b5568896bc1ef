import { describe, expect, test } from "vitest";
import { toNumbers } from "../../src/core/tensor.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { ancestors } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { ARCHITECTURES, type ArchitectureName } from "../../src/nn/architectures.js";
import { resnet } from "../../src/nn/resnet.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { opTable } from "../../src/ops/table.js";
import { failure } from "../support/failure.js";
import { answers, macsOfAll, outputShapes, pixels, trainedElements } from "./support.js";

const NAMES = Object.keys(ARCHITECTURES) as readonly ArchitectureName[];
const CIFAR = { classes: 10, imageSize: 32 };
/** Every architecture, small. */
const small = (name: ArchitectureName) =>
  ARCHITECTURES[name].make({ classes: 7, imageSize: 32, width: 0.125, seed: 3 });

describe("sizes", () => {
  // He et al. 2016, table 6, gives millions of parameters to two digits; MACs of ResNet-20/56/110 are 40.8, 125.5 and 255 M in the
  // literature, where projection shortcuts and additions are counted at times: within one percent.
  test.each([
    ["resnet20", 0.27, 40.8],
    ["resnet32", 0.46, 69.1],
    ["resnet44", 0.66, 97.4],
    ["resnet56", 0.85, 125.5],
    ["resnet110", 1.7, 255],
    ["mobilenet", 3.2, 46],
  ] as const)("%s has %d M parameters and %d M MACs, as published", (name, parameters, macs) => {
    const { graph } = ARCHITECTURES[name].make(CIFAR);
    const digits = parameters < 1 ? 2 : 1;
    expect((trainedElements(graph) / 1e6).toFixed(digits)).toBe(parameters.toFixed(digits));
    expect(Math.abs(macsOfAll(graph) / 1e6 / macs - 1)).toBeLessThan(0.01);
  });

  test("ResNet-20's parameters are counted layer by layer", () => {
    const stage = (from: number, to: number) => 9 * from * to + 5 * 9 * to * to + 6 * 2 * to;
    const expected = 9 * 3 * 16 + 2 * 16 + stage(16, 16) + stage(16, 32) + stage(32, 64) + 64 * 10 + 10;
    expect(trainedElements(resnet(20)(CIFAR).graph)).toBe(expected);
  });
});

describe.each(NAMES)("%s", (name) => {
  const exits = name === "msdnet" ? ["exit0", "exit1", "exit2", "logits"] : ["logits"];

  test("gives finite logits of every exit on ONNX Runtime, in inferred shapes", async () => {
    const { graph } = small(name);
    expect(outputShapes(graph)).toEqual(exits.map((exit) => [exit, ["n", 7]]));
    const results = await answers(graph, pixels(2, 3, 32, 32));
    for (const exit of exits) {
      expect(results[exit]).toHaveLength(14);
      expect(results[exit]?.every(Number.isFinite)).toBe(true);
      expect(results[exit]?.slice(0, 7)).not.toEqual(results[exit]?.slice(7));
    }
  });

  test("states every size that inference finds", () => {
    const { graph } = small(name);
    const { types } = inferShapes(graph, opTable);
    for (const node of graph.nodes.filter((n) => n.opType === "Conv")) {
      const weight = graph.initializers.get(node.inputs[1]);
      expect(weight?.dims[0]).toBe(types.get(node.outputs[0])?.shape[1]);
    }
  });

  test("has the same bytes for the same seed, and other weights for another", () => {
    const bytes = (seed: number) => writeModel(ARCHITECTURES[name].make({ ...CIFAR, width: 0.125, seed }));
    expect(Buffer.compare(bytes(1), bytes(1))).toBe(0);
    expect(Buffer.compare(bytes(1), bytes(2))).not.toBe(0);
  });

  test("reads back from its file as a model with its exits", () => {
    const model = dynamicModel(readModel(writeModel(small(name))));
    expect(model.exits.map((e) => e.name)).toEqual(exits);
    expect(model).toMatchObject({ classes: 7, input: { name: "images", shape: ["n", 3, 32, 32] } });
  });

  test("takes any image size from the smallest on, oblong ones and one channel too", async () => {
    const { graph } = ARCHITECTURES[name].make({ classes: 2, imageSize: [33, 47], channels: 1, width: 0.1 });
    const results = await answers(graph, pixels(1, 1, 33, 47));
    expect(results.logits?.every(Number.isFinite)).toBe(true);
  });

  test("holds only what its logits need, and parameters that are read once each", () => {
    const { graph } = small(name);
    const read = ancestors(graph, exits).flatMap((node) => node.inputs);
    for (const parameter of graph.initializers.keys())
      expect(read.filter((input) => input === parameter)).toHaveLength(1);
    const trained = [...graph.initializers.keys()].filter((p) => !/\.(weight|bias|running_mean|running_var)$/.test(p));
    expect(trained.filter((p) => graph.initializers.get(p)?.dtype === "float32")).toEqual([]);
  });
});

describe("initial values", () => {
  const { graph } = resnet(20)({ ...CIFAR, seed: 11 });
  const of = (name: string): readonly number[] => [...toNumbers(graph.initializers.get(name) as never)];

  test("convolutions are normal with variance 2 / fan-out", () => {
    const values = of("stage3.block2.conv2.weight");
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    expect(values).toHaveLength(64 * 64 * 9);
    // Standard errors: sqrt(variance / n) of the mean, variance * sqrt(2 / n) of the variance; five of them.
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
    expect(Math.abs(variance / (2 / (64 * 9)) - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
  });

  test("normalisation starts as the identity", () => {
    expect(new Set(of("stage1.block0.bn1.weight"))).toEqual(new Set([1]));
    expect(new Set(of("stage1.block0.bn1.bias"))).toEqual(new Set([0]));
    expect(new Set(of("stage1.block0.bn1.running_mean"))).toEqual(new Set([0]));
    expect(new Set(of("stage1.block0.bn1.running_var"))).toEqual(new Set([1]));
  });

  test("the linear layer is uniform within 1 / sqrt(inputs)", () => {
    const values = [...of("linear.weight"), ...of("linear.bias")];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
    expect(Math.max(...values)).toBeGreaterThan(0.12);
    expect(Math.min(...values)).toBeLessThan(-0.12);
  });

  test("a layer starts the same whatever else the network holds", () => {
    const deeper = resnet(32)({ ...CIFAR, seed: 11 }).graph;
    for (const name of ["conv1.weight", "stage3.block1.conv1.weight", "linear.weight"])
      expect(deeper.initializers.get(name)).toEqual(graph.initializers.get(name));
    expect(of("stage1.block0.conv1.weight")).not.toEqual(of("stage1.block0.conv2.weight"));
  });
});

describe("a wrong option says what to do", () => {
  test.each([
    [() => resnet(21)(CIFAR), "resnet21: depth is 21, expected 6n + 2. Give 20, 32, 44, 56 or 110, as published."],
    [() => resnet(2)(CIFAR), "resnet2: depth is 2, expected 6n + 2. Give 20, 32, 44, 56 or 110, as published."],
    [
      () => ARCHITECTURES.vgg16.make({ classes: 10, imageSize: 31 }),
      "vgg16: image height is 31, expected a whole number from 32 on. Give another value or another architecture.",
    ],
    [
      () => ARCHITECTURES.mobilenet.make({ classes: 10, imageSize: [32, 8] }),
      "mobilenet: image width is 8, expected a whole number from 16 on. Give another value or another architecture.",
    ],
    [
      () => ARCHITECTURES.msdnet.make({ classes: 1, imageSize: 32 }),
      "msdnet: classes is 1, expected a whole number from 2 on. Give another value or another architecture.",
    ],
    [
      () => ARCHITECTURES.resnet20.make({ ...CIFAR, width: 0 }),
      "resnet20: width is 0, expected a factor above 0. Give 1 for the published network.",
    ],
  ])("%#", (make, text) => {
    expect(make).toThrow(failure("cli/value", text));
  });
});

test("a shortcut that changes the size keeps every second pixel and adds channels of zeros", async () => {
  const { graph } = resnet(8)({ classes: 2, imageSize: 5, width: 0.25, seed: 2 });
  const outputs = ["stage1.block0.out", "stage2.block0.shortcut"].map((name) => ({
    name,
    dtype: "float32" as const,
    shape: undefined,
  }));
  const results = await answers({ ...graph, outputs }, pixels(1, 3, 5, 5));
  const [x, y] = outputs.map(({ name }) => results[name]);
  const kept = [0, 2, 4].flatMap((row) => [0, 2, 4].map((column) => 5 * row + column));
  const channel = (c: number) => (c >= 2 && c < 6 ? kept.map((at) => x?.[25 * (c - 2) + at]) : kept.map(() => 0));
  expect(y).toEqual(Array.from({ length: 8 }, (_, c) => channel(c)).flat());
});
