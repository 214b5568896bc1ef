/** @file Channels-last inputs are read as channels first, with the same answers. */
import { describe, expect, test } from "vitest";
import { fromNumbers } from "../../../src/core/tensor.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { ints } from "../../../src/graph/attributes.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import type { ValueName } from "../../../src/graph/graph.js";
import { answerOf, caseModel, drawn, logitsOf, pixels, toLast, weights } from "./support.js";

const TO_FIRST = { perm: ints([0, 3, 1, 2]) };

/** A convolution, a mean and four classes. */
function classifier(b: GraphBuilder, x: ValueName): void {
  const h = b.op("Relu", [b.op("Conv", [x, b.constant(weights(5, 3, 3, 3))], { pads: ints([1, 1, 1, 1]) })]);
  const mean = b.op("Flatten", [b.op("GlobalAveragePool", [h])]);
  b.output(b.op("MatMul", [mean, b.constant(weights(5, 4))]), "float32", undefined);
}

describe("channels last", () => {
  test("the case of a stranger: the transpose goes, and the answers stay", () => {
    const source = caseModel("13-nhwc-input/nhwc.onnx");
    const model = dynamicModel(source);
    expect(model.input.shape).toEqual(["n", 3, 32, 32]);
    expect(model.changes).toEqual([
      'The input "image" is [n,32,32,3], channels last. dynn takes [n,3,32,32], and the transpose is inside.',
    ]);
    expect(model.graph.nodes.some((node) => node.opType === "Transpose")).toBe(false);
    const x = pixels(2, 3, 32, 32);
    const [before, after] = [answerOf(source.graph, toLast(x)), logitsOf(model, x)];
    after.forEach((v, i) => {
      expect(v).toBeCloseTo(before[i], 4);
    });
  });

  test("normalisation before the transpose turns with it, and is found", () => {
    const source = drawn((b) => {
      const x = b.input("x", "float32", ["batch", 8, 6, 3]);
      const mean = b.constant(fromNumbers("float32", [3], [0.5, 0.4, 0.3]));
      const std = b.constant(fromNumbers("float32", [1, 1, 3], [0.2, 0.3, 0.25]));
      classifier(b, b.op("Transpose", [b.op("Div", [b.op("Sub", [x, mean]), std])], TO_FIRST));
    });
    const model = dynamicModel(source);
    expect(model.normalization?.mean.map((v) => v.toFixed(4))).toEqual(["0.5000", "0.4000", "0.3000"]);
    const x = pixels(2, 3, 8, 6);
    const [before, after] = [answerOf(source.graph, toLast(x)), logitsOf(model, x)];
    after.forEach((v, i) => {
      expect(v).toBeCloseTo(before[i], 5);
    });
  });

  test("without a transpose, as a Keras perceptron has it, the sizes decide", () => {
    const source = drawn((b) => {
      const x = b.input("x", "float32", ["batch", 8, 6, 3]);
      b.output(b.op("MatMul", [b.op("Flatten", [x]), b.constant(weights(144, 4))]), "float32", undefined);
    });
    const model = dynamicModel(source);
    expect(model.input.shape).toEqual(["n", 3, 8, 6]);
    const x = pixels(2, 3, 8, 6);
    expect(logitsOf(model, x)).toEqual(answerOf(source.graph, toLast(x)));
  });

  test("padding before the transpose keeps the transpose in front", () => {
    const source = drawn((b) => {
      const padded = b.op("Pad", [b.input("x", "float32", ["batch", 8, 6, 3]), b.ints([0, 0, 0, 0, 0, 1, 1, 0])]);
      classifier(b, b.op("Transpose", [padded], TO_FIRST));
    });
    const x = pixels(2, 3, 8, 6);
    expect(logitsOf(dynamicModel(source), x)).toEqual(answerOf(source.graph, toLast(x)));
  });

  test.each([
    ["as sizes say", [3, 8, 6]],
    ["though sizes say otherwise: a convolution reads the input", [8, 6, 3]],
    ["with images of three columns", [3, 3, 3]],
  ])("channels first stay, %s", (_, dims) => {
    const source = drawn((b) => {
      const x = b.input("x", "float32", ["batch", ...dims]);
      const h = b.op("Conv", [x, b.constant(weights(5, dims[0], 3, 3))], { pads: ints([1, 1, 1, 1]) });
      const mean = b.op("Flatten", [b.op("GlobalAveragePool", [h])]);
      b.output(b.op("MatMul", [mean, b.constant(weights(5, 4))]), "float32", undefined);
    });
    const model = dynamicModel(source);
    expect([model.input.shape, model.changes]).toEqual([["n", ...dims], []]);
  });
});
