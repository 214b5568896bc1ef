import { describe, expect, test } from "vitest";
import { Images, imageDims } from "../../src/core/images.js";
import { failure } from "../support/failure.js";

const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i);
const net = (...dims: readonly (number | string)[]) => ({ name: "net", input: { shape: ["n", ...dims] } });

describe("images", () => {
  test("count whole images", () => {
    expect(new Images(numbers(24), [3, 2, 1])).toMatchObject({ count: 4, size: 6, dims: [3, 2, 1] });
    expect(new Images(new Float32Array(0), [3, 2, 1]).count).toBe(0);
    expect(Images.for(net(1, 2, 2), numbers(8)).count).toBe(2);
  });

  test("give one image, or some, without copying", () => {
    const images = new Images(numbers(24), [3, 2, 1]);
    expect([...images.row(2)]).toEqual([12, 13, 14, 15, 16, 17]);
    const some = images.rows(1, 3);
    expect([some.count, some.dims, [...some.row(0)]]).toEqual([2, [3, 2, 1], [6, 7, 8, 9, 10, 11]]);
    expect(images.rows(3, 9).count).toBe(1);
    expect(images.rows(4, 9).count).toBe(0);
    some.row(0)[0] = -1;
    expect(images.data[6]).toBe(-1);
  });

  test.each([
    ["an image too short", new Float32Array(11), "11 numbers are not a whole number of images [1,2,2] (4 each)"],
    ["a single number", new Float32Array(1), "1 number is not a whole number of images [1,2,2] (4 each)"],
  ])("refuse %s", (_, data, text) => {
    expect(() => new Images(data, [1, 2, 2])).toThrow(
      failure("data/shape", `images: ${text}. Give float32 [n*c*h*w].`),
    );
    expect(() => Images.for(net(1, 2, 2), data)).toThrow(
      failure("data/shape", `images: ${text}, as net takes. Give float32 [n*c*h*w].`),
    );
  });

  test("refuse numbers where an image has none", () => {
    expect(() => new Images(numbers(3), [3, 0, 2])).toThrow("not a whole number of images [3,0,2] (0 each)");
  });

  test("of a model whose size is open have no shape", () => {
    expect(imageDims(net(3, 8, 9))).toEqual([3, 8, 9]);
    expect(() => imageDims(net(3, "h", "w"))).toThrow(
      failure("shape/unknown", "net: the image size [3,h,w] is open. Read the model with the size of the images."),
    );
  });
});
