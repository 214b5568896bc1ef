import { describe, expect, test } from "vitest";
import { fromNumbers, tensor } from "../../src/core/tensor.js";
import { pairDataset } from "../../src/data/npy-dataset.js";
import { readPixels } from "./support.js";

const names = { name: "npy:x.npy", images: "x.npy", labels: "y.npy" };
const images = (values: readonly number[]) => fromNumbers("float32", [2, 1, 1, 2], values);
const labels = fromNumbers("int64", [2], [1, 0]);

describe("pairDataset", () => {
  test.each(["float16", "float32", "float64"] as const)("%s pixels are taken as they are", async (dtype) => {
    const dataset = pairDataset(fromNumbers(dtype, [2, 1, 1, 2], [0, 0.25, 0.5, 1]), labels, names);
    expect(dataset).toMatchObject({
      name: "npy:x.npy",
      count: 2,
      shape: [1, 1, 2],
      classes: undefined,
      labels: Int32Array.of(1, 0),
    });
    expect(await readPixels(dataset)).toEqual(Float32Array.of(0, 0.25, 0.5, 1));
  });

  test.each([
    ["[n,1]", fromNumbers("int64", [2, 1], [1, 0])],
    ["one-hot floats", fromNumbers("float32", [2, 3], [0, 1, 0, 1, 0, 0])],
    ["one-hot booleans", fromNumbers("bool", [2, 2], [0, 1, 1, 0])],
    ["whole floats", fromNumbers("float64", [2], [1, 0])],
  ])("labels as %s are read", (_, given) => {
    expect([...pairDataset(images([0, 0, 0, 0]), given, names).labels]).toEqual([1, 0]);
  });

  test.each([
    [[0, 0.5, 0.5, 1, 0, 0], /y.npy: record 0 has the row 0 0.5 0.5, expected one 1 and zeros/],
    [[1, 0, 0, 1, 1, 0], /record 1 has the row 1 1 0/],
    [[1, 0, 0, 0, 0, 0], /record 1 has the row 0 0 0/],
  ])("rows %j are refused", (values, message) => {
    expect(() => pairDataset(images([0, 0, 0, 0]), fromNumbers("float32", [2, 3], values), names)).toThrow(message);
  });

  test("bytes are divided by 255", async () => {
    const dataset = pairDataset(fromNumbers("uint8", [2, 1, 1, 2], [0, 51, 200, 255]), labels, names);
    expect(await readPixels(dataset)).toEqual(Float32Array.of(0, 0.2, 200 / 255, 1));
  });

  test.each([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [1.5, "1.5"],
    [-0.25, "-0.25"],
  ])("a pixel of %d is refused by record", (value, shown) => {
    expect(() => pairDataset(images([0, 0, 0, value]), labels, names)).toThrow(
      `x.npy: record 1 has a pixel of ${shown}, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model. [data/value]`,
    );
  });

  test.each([
    [[2, 2], "x.npy: got shape [2,2], expected images [n,c,h,w] with at least one. Reshape the array. [data/shape]"],
    [
      [0, 3, 2, 2],
      "x.npy: got shape [0,3,2,2], expected images [n,c,h,w] with at least one. Reshape the array. [data/shape]",
    ],
    [
      [1, 8, 8, 3],
      "x.npy: shape [1,8,8,3] looks like [n,h,w,c], expected [n,c,h,w]. Transpose the axes to 0,3,1,2. [data/shape]",
    ],
    [
      [3, 3, 2, 2],
      "y.npy: got shape [2], expected labels [3], one for each image. Give arrays that belong together. [data/shape]",
    ],
  ])("images of shape %j with two labels", (dims, text) => {
    const zeros = new Float32Array(dims.reduce((a, b) => a * b, 1));
    expect(() => pairDataset(tensor("float32", dims, zeros), labels, names)).toThrow(text);
  });

  test("element types that are no pixels or no labels", () => {
    expect(() => pairDataset(fromNumbers("int32", [2, 1, 1, 2], [0, 1, 0, 1]), labels, names)).toThrow(
      "x.npy: got int32 pixels, expected float32 in [0,1] or uint8. Convert the array. [data/format]",
    );
    expect(() => pairDataset(fromNumbers("bool", [2, 1, 1, 2], [0, 1, 0, 1]), labels, names)).toThrow(
      "x.npy: got bool pixels",
    );
    expect(() => pairDataset(images([0, 0, 0, 0]), fromNumbers("float32", [2], [1, 0.5]), names)).toThrow(
      "y.npy: record 1 has label 0.5, expected an integer",
    );
  });

  test("labels that are no class index", () => {
    for (const bad of [-1, 2 ** 40])
      expect(() => pairDataset(images([0, 0, 0, 0]), fromNumbers("int64", [2], [0, bad]), names)).toThrow(
        `y.npy: record 1 has label ${bad}, expected an integer from 0 to 2147483647. Give labels that number the classes from 0, as the model does. [data/label]`,
      );
  });
});
