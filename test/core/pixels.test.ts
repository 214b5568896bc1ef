import { describe, expect, it } from "vitest";
import { checkPixels } from "../../src/core/pixels.js";

const SIZE = 3;
const pixels = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i / count);

describe("checkPixels", () => {
  it("takes numbers from 0 to 1, both included, however many", () => {
    for (let count = 0; count < 12; count++) checkPixels({ name: "x", pixels: pixels(count).fill(1, 0, 1) }, SIZE);
  });

  it.each([Number.NaN, -1e-7, 1.0000001, Number.POSITIVE_INFINITY])("finds %s wherever it stands", (bad) => {
    for (let at = 0; at < 11; at++) {
      const data = pixels(11);
      data[at] = bad;
      const record = Math.floor(at / SIZE);
      expect(() => checkPixels({ name: "x", pixels: data }, SIZE), `at ${at}`).toThrow(
        expect.objectContaining({ code: "data/value", message: expect.stringContaining(`record ${record} `) }),
      );
    }
  });
});
