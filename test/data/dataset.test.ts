import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLabels, concat, inMemory, subset } from "../../src/data/dataset.js";
import { splitValidation } from "../../src/data/split.js";
import { readPixels } from "./support.js";

/** Record i holds the one byte i. */
const counting = (count: number, name = "counting") =>
  inMemory(
    { name, shape: [1, 1, 1], classes: undefined, labels: Int32Array.from({ length: count }, (_, i) => i % 10) },
    Uint8Array.from({ length: count }, (_, i) => i),
  );
const recordsOf = async (dataset: ReturnType<typeof counting>) =>
  [...(await readPixels(dataset))].map((x) => Math.round(x * 255));

describe("reading", () => {
  test("every byte becomes the float32 nearest to byte / 255", async () => {
    const pixels = await readPixels(counting(256));
    for (let byte = 0; byte < 256; byte++) expect(pixels[byte]).toBe(Math.fround(byte / 255));
  });

  test("floats are handed out as they are, in the order asked for", async () => {
    const data = Float32Array.of(0, 0.25, 0.5, 1);
    const dataset = inMemory(
      { name: "floats", shape: [1, 1, 2], classes: undefined, labels: Int32Array.of(0, 1) },
      data,
    );
    expect(await readPixels(dataset, [1, 0, 1])).toEqual(Float32Array.of(0.5, 1, 0, 0.25, 0.5, 1));
  });

  test("a record that does not exist, or an array of the wrong length, is a bug of the caller", async () => {
    const dataset = counting(3);
    await expect(dataset.read([3], new Float32Array(1))).rejects.toThrow(
      "bug: counting: record 3 does not exist, there are 3",
    );
    await expect(dataset.read([0.5], new Float32Array(1))).rejects.toThrow(
      "bug: counting: record 0.5 does not exist, there are 3",
    );
    await expect(dataset.read([0, 1], new Float32Array(1))).rejects.toThrow(
      "bug: counting: 2 records need 2 values, out has 1",
    );
    expect(() => subset(dataset, [-1])).toThrow("bug: counting: record -1 does not exist, there are 3");
  });

  test("nothing asked for is nothing read", async () => {
    expect(await readPixels(counting(3), [])).toEqual(new Float32Array(0));
  });
});

describe("subset and concat", () => {
  test("a subset of a subset reads the records of the whole", () => {
    const indices = fc.array(fc.nat({ max: 19 }), { minLength: 1, maxLength: 30 });
    return fc.assert(
      fc.asyncProperty(indices, indices, async (outer, inner) => {
        const places = inner.map((i) => i % outer.length);
        const twice = subset(subset(counting(20), outer), places);
        expect(await recordsOf(twice)).toEqual(places.map((i) => outer[i]));
        expect([...twice.labels]).toEqual(places.map((i) => outer[i] % 10));
      }),
    );
  });

  test("joined parts read like one dataset, empty parts included", async () => {
    const [a, b, c] = [subset(counting(9), [7, 8]), subset(counting(9), []), counting(3)];
    const whole = concat([a, b, c], "whole");
    expect(whole).toMatchObject({ name: "whole", count: 5, labels: Int32Array.of(7, 8, 0, 1, 2) });
    expect(await recordsOf(whole)).toEqual([7, 8, 0, 1, 2]);
    expect(await readPixels(whole, [4, 0])).toEqual(Float32Array.of(2 / 255, 7 / 255));
  });
});

describe("splitValidation", () => {
  test("reports the first records in file order and draws the others, each once, from the rest", () =>
    fc.assert(
      fc.asyncProperty(fc.nat({ max: 150 }), fc.nat({ max: 250 }), fc.nat(), async (reported, validation, seed) => {
        const split = splitValidation(counting(200), { reported, validation, seed });
        expect(await recordsOf(split.reported)).toEqual(Array.from({ length: reported }, (_, i) => i));
        const drawn = await recordsOf(split.validation);
        expect(drawn).toHaveLength(Math.min(validation, 200 - reported));
        expect(new Set(drawn).size).toBe(drawn.length);
        expect(drawn.every((record) => record >= reported && record < 200)).toBe(true);
      }),
    ));

  test("the seed decides, and a smaller draw is the start of a larger one", async () => {
    const draw = async (validation: number, seed: number) =>
      recordsOf(splitValidation(counting(200), { reported: 100, validation, seed }).validation);
    expect(await draw(60, 1)).toEqual(await draw(60, 1));
    expect(await draw(60, 2)).not.toEqual(await draw(60, 1));
    expect((await draw(90, 1)).slice(0, 60)).toEqual(await draw(60, 1));
  });

  test("says what is left when it is too little, more reported than there are included", () => {
    const split = (reported: number) => () => splitValidation(counting(120), { reported, validation: 64, seed: 0 });
    expect(split(70)).not.toThrow();
    expect(split(71)).toThrow(
      "counting: 71 of 120 records are reported, which leaves 49 to choose thresholds on, expected at least 50. Report at most 70 records, or give the thresholds. [policy/validation]",
    );
    expect(split(500)).toThrow("counting: 120 of 120 records are reported, which leaves 0 to choose thresholds on");
    expect(() => splitValidation(counting(20), { reported: 5, validation: 5, seed: 0 })).toThrow(
      "Give other data to choose them on, or give the thresholds.",
    );
  });
});

describe("checkLabels", () => {
  test("accepts class indices and names the first record that holds none", () => {
    expect(() => checkLabels(counting(100), 10)).not.toThrow();
    expect(() => checkLabels(counting(100), 8)).toThrow(
      "counting: record 8 has label 8, expected an integer from 0 to 7. Give labels that number the classes from 0, as the model does. [data/label]",
    );
    expect(() => checkLabels({ name: "x", labels: [0, -1] }, 8)).toThrow("x: record 1 has label -1, expected");
    expect(() => checkLabels({ name: "x", labels: [0.5] }, 8)).toThrow("x: record 0 has label 0.5, expected");
    expect(() => checkLabels({ name: "x", labels: [Number.NaN] }, 8)).toThrow("x: record 0 has label NaN, expected");
  });
});
