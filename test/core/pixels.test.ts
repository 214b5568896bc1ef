import { describe, expect, it } from "vitest";
import { checkPixels } from "../../src/core/pixels.js";

const SIZE = 3;
const pixels = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i / count);

describe("checkPixels", () => {
  it("takes numbers from 0 to 1, both included, however many", () => {
    for (const count of [...Array(12).keys(), 255, 256, 257, 600])
      checkPixels({ name: "x", pixels: pixels(count).fill(1, 0, 1) }, SIZE);
  });

  it("takes -0, part of a larger array, and float64", () => {
    checkPixels({ name: "x", pixels: pixels(600).fill(-0, 300, 301) }, SIZE);
    checkPixels({ name: "x", pixels: pixels(700).fill(7, 0, 50).fill(7, 650).subarray(50, 650) }, SIZE);
    checkPixels({ name: "x", pixels: Float64Array.from(pixels(600)) }, SIZE);
  });

  it("finds a NaN with a sign", () => {
    const data = pixels(600);
    new Uint32Array(data.buffer)[500] = 0xffc00000;
    expect(() => checkPixels({ name: "x", pixels: data }, SIZE)).toThrow(/record 166 has a pixel of NaN/);
  });

  it.each([Number.NaN, -1e-7, -1, 1.0000001, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "finds %s wherever it stands",
    (bad) => {
      for (const at of [...Array(11).keys(), 255, 256, 511, 512, 519]) {
        const data = pixels(at < 11 ? 11 : 520);
        data[at] = bad;
        const record = Math.floor(at / SIZE);
        expect(() => checkPixels({ name: "x", pixels: data }, SIZE), `at ${at}`).toThrow(
          expect.objectContaining({ code: "data/value", message: expect.stringContaining(`record ${record} `) }),
        );
      }
    },
  );
});
