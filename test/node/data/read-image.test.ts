import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readImage } from "../../../src/node/data/read-image.js";
import { temporaryFolder } from "../../data/support.js";

const root = temporaryFolder();
const taker = (...dims: (number | string)[]) => ({ name: "net", input: { shape: ["n", ...dims] } });

/** 6x2 pixels: two columns of red 10, two of 100, two of 200; green is 40 and blue is 80. */
const FILE = join(root, "wide.png");
const pixels = Array.from({ length: 12 }, (_, i) => [[10, 100, 200][Math.floor((i % 6) / 2)], 40, 80]).flat();
await sharp(Uint8Array.from(pixels), { raw: { width: 6, height: 2, channels: 3 } }).toFile(FILE);

test("a file, a URL and bytes give one image of the model's size, as planes in [0,1]", async () => {
  const image = await readImage(FILE, taker(3, 2, 2));
  expect([image.count, image.dims]).toEqual([1, [3, 2, 2]]);
  const planes = [100, 40, 80].flatMap((value) => Array(4).fill(Math.fround(value / 255)));
  expect([...image.data]).toEqual(planes);
  for (const same of [pathToFileURL(FILE), readFileSync(FILE), new Uint8Array(readFileSync(FILE))])
    expect((await readImage(same, taker(3, 2, 2))).data).toEqual(image.data);
});

test("a model of one channel gets the luma", async () => {
  const { data } = await readImage(FILE, taker(1, 2, 2));
  const luma = (0.299 * 100 + 0.587 * 40 + 0.114 * 80) / 255;
  expect([...data].every((value) => Math.abs(value - luma) < 1e-6)).toBe(true);
});

test("fit says what becomes of a wide image", async () => {
  const at = async (fit: "pad" | "stretch") => (await readImage(FILE, taker(3, 6, 6), { fit })).data;
  expect([...(await at("pad"))].slice(0, 6)).toEqual(Array(6).fill(0));
  // Upscaling mixes neighbours, so the edges are told apart by their order alone.
  const row = [...(await at("stretch"))].slice(0, 6).map((value) => Math.round(value * 255));
  expect([row[0] < 40, row[5] > 180]).toEqual([true, true]);
});

test("bytes of a bitmap are known by their first letters", async () => {
  const ppm = Buffer.concat([Buffer.from("P6 2 2 255\n"), Buffer.alloc(12, 51)]);
  expect([...(await readImage(ppm, taker(3, 2, 2))).data]).toEqual(Array(12).fill(Math.fround(0.2)));
});

test("what is no image, an open size and other channels are refused", async () => {
  await expect(readImage(Buffer.from("hello"), taker(3, 2, 2))).rejects.toThrow(
    /^an image of 5 bytes: cannot be decoded as an image \(.*\)\. Replace or remove the file\. \[data\/format\]$/,
  );
  await expect(readImage(FILE, taker(3, "h", "w"))).rejects.toMatchObject({ code: "shape/unknown" });
  await expect(readImage(FILE, taker(4, 2, 2))).rejects.toMatchObject({ code: "data/shape" });
  await expect(readImage(join(root, "none.png"), taker(3, 2, 2))).rejects.toMatchObject({ code: "data/missing" });
  await expect(readImage(FILE, undefined as never)).rejects.toMatchObject({ code: "call/argument" });
});
