/** @file Networks whose outputs are probabilities are converted and trained further: logits take
 *  the place of the outputs, and the answers stay. */
import { describe, expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph, ValueName } from "../../src/graph/graph.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { runReference } from "../../src/runtime/reference.js";
import { convert } from "../../src/training/convert/convert.js";
import { checkedSource, planConversion } from "../../src/training/convert/plan.js";
import { trainingNetwork } from "../../src/training/run/network.js";
import { pixels } from "../nn/support.js";
import { backbone, bytesOf, CLASSES, patterns, SIDE } from "../support/training.js";

const IMAGES = pixels(4, 3, SIDE, SIDE);
const backend = ortNode({ threads: 1 });
const train = patterns(60);

type Draw = (b: GraphBuilder, logits: ValueName) => ValueName;

/** The small network with another output. */
function withOutput(draw: Draw, classes: number): ReturnType<typeof readModel> {
  const b = new GraphBuilder(backbone());
  const y = draw(b, "logits");
  b.clearOutputs();
  b.output(y, "float32", ["n", classes]);
  return readModel(writeModel({ graph: b.build() }));
}

const softmax = (b: GraphBuilder, x: ValueName): ValueName => b.op("Softmax", [x], { axis: int(-1) });
const weight = (rows: number, columns: number) =>
  fromNumbers(
    "float32",
    [rows, columns],
    Array.from({ length: rows * columns }, (_, i) => Math.sin(3 * i + 1)),
  );
const averaged: Draw = (b, logits) => {
  const second = b.op("MatMul", [logits, b.constant(weight(CLASSES, CLASSES), "second.weight")]);
  return b.op("Mul", [b.op("Add", [softmax(b, logits), softmax(b, second)]), b.scalar(0.5)]);
};
const sigmoid: Draw = (b, logits) =>
  b.op("Sigmoid", [b.op("MatMul", [logits, b.constant(weight(CLASSES, 1), "column.weight")])]);
/** A softmax behind a node that the reading of graphs does not look through. */
const hidden: Draw = (b, logits) => b.op("Min", [softmax(b, logits), b.scalar(2)]);

const rowsOf = (values: readonly number[], classes: number): number[][] =>
  Array.from({ length: values.length / classes }, (_, i) => values.slice(i * classes, (i + 1) * classes));
const run = (graph: Graph, name: ValueName): number[] => [...toNumbers(runReference(graph, { images: IMAGES })[name])];
const softmaxOf = (row: readonly number[]): number[] => {
  const e = row.map(Math.exp);
  return e.map((v) => v / e.reduce((a, c) => a + c));
};
/** Probabilities over the classes by an output of the file. */
const probabilitiesOf = (values: readonly number[], columns: number): number[][] =>
  columns === 1 ? values.map((p) => [1 - p, p]) : rowsOf(values, columns);

function expectClose(got: readonly number[][], expected: readonly number[][]): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((row, i) => {
    row.forEach((v, c) => {
      expect(v).toBeCloseTo(expected[i][c], 5);
    });
  });
}

describe.each([
  ["averaged over heads", averaged, CLASSES, CLASSES],
  ["a sigmoid of one column", sigmoid, 1, 2],
  ["hidden from the graph", hidden, CLASSES, CLASSES],
] as const)("an output of probabilities, %s", (_, draw, columns, classes) => {
  const source = withOutput(draw, columns);
  const expected = probabilitiesOf(run(source.graph, source.graph.outputs[0].name), columns);
  const data = { ...train, labels: train.labels.map((label) => label % classes) };

  test("is planned with logits as the final exit, whose softmax is the file's own", async () => {
    const checked = await checkedSource(source, data, backend);
    const plan = planConversion(checked, data, { exits: { kind: "values", values: ["hidden"] } });
    expect(plan.classes).toBe(classes);
    const final = plan.model.exits.at(-1)?.logits ?? "";
    expectClose(rowsOf(run(plan.model.graph, final), classes).map(softmaxOf), expected);
  });

  test("is converted: the weights keep their bits, and so do the final answers", async () => {
    const made = await convert(source, {
      ...{ train: data, validation: data, test: data, backend },
      ...{ exits: { kind: "values", values: ["hidden"] }, epochs: 1, training: { batch: 20, peak: 0.02 } },
    });
    const [before, after] = [bytesOf(source.graph.initializers), bytesOf(made.graph.initializers)];
    for (const [name, bytes] of Object.entries(before)) expect(after[name], name).toBe(bytes);
    const model = dynamicModel({ graph: made.graph, metadata: made.metadata });
    expect(model.exits).toHaveLength(2);
    const final = model.exits.at(-1)?.logits ?? "";
    expectClose(rowsOf(run(model.graph, final), classes).map(softmaxOf), expected);
  });

  test("is trained further on its logits", async () => {
    const request = { recipe: "static", seed: 0, classes, train: data, backend } as const;
    const network = await trainingNetwork({ ...request, base: { kind: "model", name: "net", source } });
    const final = network.model.exits.at(-1)?.logits ?? "";
    expectClose(rowsOf(run(network.model.graph, final), classes).map(softmaxOf), expected);
  });
});

test("the named output of several is the one that is trained", async () => {
  const b = new GraphBuilder(backbone());
  const other = b.op("MatMul", ["logits", b.constant(weight(CLASSES, CLASSES), "other.weight")], {}, "other");
  b.output(other, "float32", ["n", CLASSES]);
  const source = readModel(writeModel({ graph: b.build() }));
  const of = async (final?: string) => {
    const base = { kind: "model", name: "net", source } as const;
    const { model } = await trainingNetwork({ base, recipe: "static", seed: 0, classes: CLASSES, train, final });
    return model.exits.at(-1)?.logits;
  };
  expect([await of(), await of("logits"), await of("other")]).toEqual(["other", "logits", "other"]);
});
