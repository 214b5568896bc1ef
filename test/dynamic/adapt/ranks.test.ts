/** @file Flat images, images without a channel axis, and open channel axes are read as images. */
import { describe, expect, test } from "vitest";
import { type Shape, sizeOf } from "../../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../../src/core/tensor.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { answerOf, drawn, logitsOf, pixels, weights } from "./support.js";

const as = (x: Tensor, ...dims: readonly number[]): Tensor => fromNumbers("float32", dims, toNumbers(x));

const perceptron = (shape: Shape, size: number) =>
  drawn((b) =>
    b.output(
      b.op("MatMul", [b.op("Flatten", [b.input("x", "float32", shape)]), b.constant(weights(size, 4))]),
      "float32",
      undefined,
    ),
  );

describe("the rank of the input", () => {
  test.each([
    ["a flat square", ["batch", 784], [1, 28, 28]],
    ["a flat colour square", ["batch", 3072], [3, 32, 32]],
    ["no channel axis", ["batch", 28, 20], [1, 28, 20]],
    ["no channel axis and a batch of 1", [1, 28, 20], [1, 28, 20]],
  ] as const)("%s", (_, shape, image) => {
    const size = sizeOf(image);
    const source = perceptron(shape, size);
    const model = dynamicModel(source);
    expect(model.input.shape).toEqual(["n", ...image]);
    expect(model.changes[0]).toContain(`The input "x" is [${shape}]. dynn takes`);
    const x = pixels(1, ...image);
    expect(logitsOf(model, x)).toEqual(answerOf(source.graph, as(x, 1, ...shape.slice(1).map(Number))));
    expect(logitsOf(model, pixels(3, ...image))).toHaveLength(12);
  });

  test("a flat image that is no square takes the size of the data", () => {
    const model = dynamicModel(perceptron(["batch", 360], 360), { imageSize: [12, 10] });
    expect(model.input.shape).toEqual(["n", 3, 12, 10]);
  });

  test.each([
    ["a small table", ["batch", 16]],
    ["no square", ["batch", 100 * 3 + 1]],
    ["one image without a batch", [3, 32, 32]],
  ] as const)("%s is no image", (_, shape) => {
    expect(() => dynamicModel(perceptron(shape, sizeOf(shape.slice(1).map(Number))))).toThrow(
      /expected \[n,channels,height,width\], got \d axes/,
    );
  });
});

test("an open number of channels is that of the first convolution", () => {
  const source = drawn((b) => {
    const scaled = b.op("Mul", [b.input("x", "float32", ["batch", "channels", 8, 8]), b.scalar(2)]);
    const h = b.op("Conv", [scaled, b.constant(weights(5, 3, 3, 3))]);
    b.output(
      b.op("MatMul", [b.op("Flatten", [b.op("GlobalAveragePool", [h])]), b.constant(weights(5, 4))]),
      "float32",
      undefined,
    );
  });
  const model = dynamicModel(source);
  expect(model.input.shape).toEqual(["n", 3, 8, 8]);
  expect(model.changes).toEqual(['The input "x" leaves its channels open. The first convolution reads 3.']);
});
