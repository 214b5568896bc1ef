/** @file A batch that a file holds as a number is opened. */
import { describe, expect, test } from "vitest";
import { sizeOf } from "../../../src/core/shape.js";
import { fromNumbers, type Tensor } from "../../../src/core/tensor.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { checkOutputs } from "../../../src/dynamic/run/outputs.js";
import { int, ints } from "../../../src/graph/attributes.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import type { OnnxModel } from "../../../src/onnx/model.js";
import { failure } from "../../support/failure.js";
import { answerOf, caseModel, drawn, logitsOf, pixels, weights } from "./support.js";

/** The answers of the file, one image after the other. */
function oneByOne({ graph }: OnnxModel, x: Tensor<"float32">): number[] {
  const [count, ...dims] = x.dims;
  const size = sizeOf(dims);
  return Array.from({ length: count }, (_, i) =>
    answerOf(graph, fromNumbers("float32", [1, ...dims], x.data.slice(i * size, (i + 1) * size))),
  ).flat();
}

const reshape = (b: GraphBuilder, x: ValueName, ...dims: readonly number[]): ValueName =>
  b.op("Reshape", [x, b.ints(dims)]);
const linear = (b: GraphBuilder, x: ValueName, from: number, to: number): ValueName =>
  b.op("MatMul", [x, b.constant(weights(from, to))]);
const logits = (b: GraphBuilder, x: ValueName, from: number): void =>
  b.output(linear(b, x, from, 4), "float32", [1, 4]);
const transposed = (b: GraphBuilder, x: ValueName, ...perm: readonly number[]): ValueName =>
  b.op("Transpose", [x], { perm: ints(perm) });

/** Tokens [1,8,6] of an image [1,3,4,4], attended to by heads, as PyTorch's MultiheadAttention traces it. */
function attention(b: GraphBuilder): void {
  const patches = reshape(b, b.input("x", "float32", [1, 3, 4, 4]), 1, 8, 6);
  const token = b.op("Expand", [b.constant(weights(1, 1, 6)), b.ints([1, 1, 6])]);
  const tokens = transposed(b, b.op("Concat", [token, patches], { axis: int(1) }), 1, 0, 2);
  const heads = transposed(b, reshape(b, tokens, 9, 2, 3), 1, 0, 2);
  const scores = b.op("Softmax", [b.op("MatMul", [heads, transposed(b, heads, 0, 2, 1)])], { axis: int(2) });
  const mixed = transposed(b, b.op("MatMul", [scores, heads]), 1, 0, 2);
  const back = transposed(b, reshape(b, mixed, 9, 1, 6), 1, 0, 2);
  logits(b, b.op("Gather", [back, b.constant(fromNumbers("int64", [], [0]))], { axis: int(1) }), 6);
}

/** A flat image goes through a linear layer; the sizes of the Reshape as given. */
const perceptron =
  (...dims: readonly number[]) =>
  (b: GraphBuilder): void =>
    logits(b, reshape(b, b.input("x", "float32", [1, 3, 4, 4]), ...dims), 48);

describe("a batch that is a number in the file", () => {
  test("the case of a stranger is opened, and inspect says where", () => {
    const source = caseModel("14-batch-1-reshape/batch1_reshape.onnx");
    const model = dynamicModel(source);
    expect([model.input.shape, model.classes]).toEqual([["n", 3, 32, 32], 10]);
    expect(model.changes).toEqual([
      expect.stringMatching(/^Reshape ".*": the batch of 1 is a number in the file\. dynn opened it, and checked that/),
    ]);
    const x = pixels(3, 3, 32, 32);
    expect(logitsOf(model, x)).toEqual(oneByOne(source, x));
  });

  test.each([
    ["[1,k]", perceptron(1, 48)],
    ["[1,-1]", perceptron(1, -1)],
    ["heads and a class token", attention],
  ])("%s", (_, draw) => {
    const source = drawn(draw);
    const x = pixels(3, 3, 4, 4);
    const model = dynamicModel(source);
    expect(logitsOf(model, x)).toEqual(oneByOne(source, x));
    expect(model.exits.map((e) => e.name)).toEqual([source.graph.outputs[0].name]);
  });

  test("a batch of thousands is opened by the sizes alone, as its values are too many to compute on reading", () => {
    const large = drawn((b) =>
      b.output(
        linear(b, reshape(b, b.input("x", "float32", [100_000, 3, 4, 4]), 100_000, 48), 48, 4),
        "float32",
        [100_000, 4],
      ),
    );
    expect(dynamicModel(large).changes).toEqual([
      expect.stringMatching(/the batch of 100000 is .* by the sizes alone/),
    ]);
  });

  test("an open input with a closed Reshape behind it is opened too", () => {
    const source = drawn((b) => logits(b, reshape(b, b.input("x", "float32", ["batch", 3, 4, 4]), 1, 48), 48));
    const x = pixels(2, 3, 4, 4);
    expect(logitsOf(dynamicModel(source), x)).toEqual(oneByOne(source, x));
  });

  test("a fixed batch of 1 that no node holds needs no change", () => {
    const model = dynamicModel(
      drawn((b) => logits(b, b.op("Flatten", [b.input("x", "float32", [1, 3, 4, 4])], { axis: int(1) }), 48)),
    );
    expect([model.input.shape, model.changes]).toEqual([["n", 3, 4, 4], []]);
  });

  test("a node that takes the first image of a batch of 2 is refused, not answered for the others", () => {
    const source = drawn((b) => {
      const x = reshape(b, b.input("x", "float32", [2, 3, 4, 4]), 2, 48);
      const first = b.op("Gather", [x, b.constant(fromNumbers("int64", [1], [0]))], { axis: int(0) });
      b.output(b.op("Add", [linear(b, x, 48, 4), linear(b, first, 48, 4)]), "float32", [2, 4]);
    });
    expect(() => dynamicModel(source)).toThrow(
      failure(
        "model/input",
        'net: with another batch than 2 the output "add" differs. Export the model with a dynamic batch.',
      ),
    );
  });

  test("a node that cannot be opened at a batch of 2 is named", () => {
    const source = drawn((b) => {
      const x = reshape(b, b.input("x", "float32", [2, 3, 4, 4]), 2, 48);
      const split = b.ops("Split", [x, b.ints([1, 1])], 2, { axis: int(0) });
      logits(b, b.op("Concat", split, { axis: int(0) }), 48);
    });
    expect(() => dynamicModel(source)).toThrow(
      failure("model/input", 'net: Split "split" works for a batch of 2 only. Export the model with a dynamic batch.'),
    );
  });
});

describe("a network that is too large to run on reading", () => {
  /** 150 million multiplications, then a closed Reshape. */
  const large = (mixed: boolean) =>
    drawn((b) => {
      const pads = { pads: ints([1, 1, 1, 1]) };
      const x = b.op("Conv", [b.input("x", "float32", [1, 3, 64, 64]), b.constant(weights(64, 3, 3, 3))], pads);
      const deep = b.op("Conv", [x, b.constant(weights(64, 64, 3, 3))], pads);
      const flat = reshape(b, b.op("GlobalAveragePool", [deep]), 1, 64);
      logits(b, mixed ? b.op("CumSum", [flat, b.scalar(0, "int64")]) : flat, 64);
    });
  const CHECKED = /dynn opened it, and checked that the answers are the file's own\.$/;

  test("is compared with the file before it is used, by whatever runs it", async () => {
    const model = dynamicModel(large(false));
    expect(model.changes).toEqual([expect.stringContaining("dynn opened it, by the sizes alone: ")]);
    const used = await checkOutputs(model, { backend: ortNode() });
    expect([used.changes, used.unchecked]).toEqual([[expect.stringMatching(CHECKED)], undefined]);
    expect(await checkOutputs(used, { backend: ortNode() })).toBe(used);
  });

  test("runs one image at a time when its answers differ from the file's", async () => {
    const model = await checkOutputs(dynamicModel(large(true)), { backend: ortNode() });
    const because = 'with another batch than 1 the output "matmul" differs';
    expect([model.oneByOne, model.unchecked, model.input.shape]).toEqual([because, undefined, [1, 3, 64, 64]]);
    expect(model.changes).toEqual([`dynn runs one image at a time, because ${because}.`]);
    expect(await checkOutputs(model, { backend: ortNode() })).toBe(model);
  });
});
