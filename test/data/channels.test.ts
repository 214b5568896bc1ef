/** @file Colour images for models of one channel, and grey images for models of three. */
import { describe, expect, test } from "vitest";
import { withChannels } from "../../src/data/channels.js";
import { inMemory, readImages } from "../../src/data/dataset.js";
import { fitData } from "../../src/data/fit.js";

const header = { classes: undefined, labels: Int32Array.of(0, 1) };
/** Red, green, blue and white, then black and three mixtures. */
const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [12, 200, 99],
  [250, 128, 3],
  [77, 77, 77],
];
/** Of these colours, `Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0))` in Pillow 9.4. */
const PILLOW = [76, 150, 29, 255, 0, 132, 150, 77];

const planes = (pixels: readonly (readonly number[])[]): number[] =>
  [0, 1, 2].flatMap((c) => pixels.map((pixel) => pixel[c]));
const colour = inMemory(
  { ...header, name: "colours", shape: [3, 2, 2] },
  Uint8Array.from([...planes(COLOURS.slice(0, 4)), ...planes(COLOURS.slice(4))]),
);
const model = { name: "net", classes: 2, input: { shape: ["n", 1, 2, 2] } } as const;

describe("colour images for a model of one channel", () => {
  test("become Pillow's L, to within its rounding, and the notes say so", async () => {
    const grey = fitData(model, colour);
    expect(grey.shape).toEqual([1, 2, 2]);
    const { data } = await readImages(grey);
    data.forEach((v, i) => {
      expect(Math.abs(255 * v - PILLOW[i])).toBeLessThanOrEqual(0.51);
    });
    expect([...(await readImages(grey, [1])).data]).toEqual([...data.slice(4)]);
    expect(grey.notes).toEqual([expect.stringContaining("makes them grey: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601")]);
    expect(fitData(model, grey).notes).toEqual(grey.notes);
  });

  test("of another size are refused all the same", () => {
    expect(() => fitData({ ...model, input: { shape: ["n", 1, 3, 3] } }, colour)).toThrow(/images are \[1,2,2\]/);
  });
});

test("grey images for a model of three channels are repeated", async () => {
  const grey = inMemory({ ...header, name: "grey", shape: [1, 1, 2] }, Uint8Array.of(0, 51, 102, 255));
  const made = withChannels(grey, 3);
  const { data } = await readImages(made);
  expect([...data].map((v) => Math.round(255 * v))).toEqual([0, 51, 0, 51, 0, 51, 102, 255, 102, 255, 102, 255]);
  expect(made.notes).toEqual(["grey: images have 1 channel, and the model takes 3. dynn repeats it in R, G and B."]);
});

test("other numbers of channels stay as they are", () => {
  for (const channels of [3, 4, "c", undefined]) expect(withChannels(colour, channels)).toBe(colour);
});
