/** @file BMP and Netpbm files, written byte by byte from their specifications: every depth, order of rows, and what is refused. */
import { describe, expect, test } from "vitest";
import { decodeBmp, decodeNetpbm } from "../../../src/node/data/bitmaps.js";

interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression?: number;
  /** Bytes between the header of 40 bytes and the pixels: palette or masks. */
  readonly between?: readonly number[];
  readonly gap?: number;
  readonly rows: readonly number[];
}

function bmp({ width, height, bits, compression = 0, between = [], gap = 0, rows }: Bitmap): Uint8Array {
  const start = 54 + between.length + gap;
  const bytes = new Uint8Array(start + rows.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4d42, true);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, bits, true);
  view.setUint32(30, compression, true);
  if (bits <= 8) view.setUint32(46, between.length / 4, true);
  bytes.set(between, 54);
  bytes.set(rows, start);
  return bytes;
}

const PALETTE = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0];
const [RED, GREEN, BLUE] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
] as const;
const uint32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

describe("a BMP", () => {
  test.each<readonly [string, Bitmap, readonly number[]]>([
    [
      "24 bits, rows from the bottom and padded",
      { width: 1, height: 2, bits: 24, rows: [3, 2, 1, 0, 6, 5, 4, 0] },
      [4, 5, 6, 1, 2, 3],
    ],
    [
      "24 bits, rows from the top",
      { width: 1, height: -2, bits: 24, rows: [3, 2, 1, 0, 6, 5, 4, 0] },
      [1, 2, 3, 4, 5, 6],
    ],
    ["a gap before the pixels", { width: 1, height: 1, bits: 24, gap: 8, rows: [3, 2, 1, 0] }, [1, 2, 3]],
    ["32 bits", { width: 1, height: 1, bits: 32, rows: [3, 2, 1, 9] }, [1, 2, 3]],
    [
      "32 bits with masks",
      {
        width: 1,
        height: 1,
        bits: 32,
        compression: 3,
        between: [0xff, 0xff00, 0xff000000].flatMap(uint32),
        rows: [1, 2, 9, 3],
      },
      [1, 2, 3],
    ],
    ["16 bits, 5 of each colour", { width: 2, height: 1, bits: 16, rows: [0x00, 0x7c, 0x1f, 0x00] }, [...RED, ...BLUE]],
    [
      "8 bits and a palette",
      { width: 3, height: 1, bits: 8, between: PALETTE, rows: [2, 0, 1, 0] },
      [...BLUE, ...RED, ...GREEN],
    ],
    [
      "4 bits, an odd width and two rows",
      { width: 3, height: 2, bits: 4, between: PALETTE, rows: [0x01, 0x20, 0, 0, 0x22, 0x10, 0, 0] },
      [...BLUE, ...BLUE, ...GREEN, ...RED, ...GREEN, ...BLUE],
    ],
    [
      "1 bit",
      { width: 3, height: 1, bits: 1, between: PALETTE.slice(0, 8), rows: [0b01000000, 0, 0, 0] },
      [...RED, ...GREEN, ...RED],
    ],
  ])("of %s", (_, bitmap, pixels) => {
    expect([...decodeBmp(bmp(bitmap)).pixels]).toEqual(pixels);
  });

  test.each<readonly [string, Uint8Array, RegExp]>([
    ["another kind of file", new Uint8Array(60), /no BMP header/],
    ["a cut file", bmp({ width: 9, height: 9, bits: 24, rows: [1] }), /251 bytes of its pixels are missing/],
    [
      "run lengths",
      bmp({ width: 1, height: 1, bits: 8, compression: 1, between: PALETTE, rows: [0, 0, 0, 0] }),
      /compressed/,
    ],
    ["a size that no memory has", bmp({ width: 2 ** 30, height: 2 ** 30, bits: 24, rows: [] }), /its size is/],
    [
      "a colour outside the palette",
      bmp({ width: 1, height: 1, bits: 8, between: PALETTE, rows: [3, 0, 0, 0] }),
      /colour 3 of a palette of 3/,
    ],
    [
      "a mask with gaps",
      bmp({
        width: 1,
        height: 1,
        bits: 32,
        compression: 3,
        between: [5, 0xff00, 0xff0000].flatMap(uint32),
        rows: [0, 0, 0, 0],
      }),
      /gaps/,
    ],
  ])("is refused for %s", (_, bytes, message) => {
    expect(() => decodeBmp(bytes)).toThrow(message);
  });
});

const file = (text: string, ...bytes: number[]) => Uint8Array.from([...new TextEncoder().encode(text), ...bytes]);

describe("a Netpbm file", () => {
  test.each<readonly [string, Uint8Array, readonly number[]]>([
    ["P6", file("P6\n1 2\n255\n", 1, 2, 3, 10, 32, 35), [1, 2, 3, 10, 32, 35]],
    ["P5 of 4 bits with a comment", file("P5 # made by hand\n2 1\n15\n", 0, 15), [0, 0, 0, 255, 255, 255]],
    ["P5 of 16 bits", file("P5 2 1 65535\n", 255, 255, 1, 1), [255, 255, 255, 1, 1, 1]],
    ["P2", file("P2\n2 1\n255\n7 # dark\n 9\n"), [7, 7, 7, 9, 9, 9]],
    ["P3", file("P3 1 1 255 1 2 3"), [1, 2, 3]],
  ])("of kind %s", (_, bytes, pixels) => {
    expect([...decodeNetpbm(bytes).pixels]).toEqual(pixels);
  });

  test.each<readonly [string, Uint8Array, RegExp]>([
    ["another kind", file("P7 1 1 255\n", 0), /kind P2, P3, P5 or P6/],
    ["no header", file("P6 1"), /no Netpbm header/],
    ["missing bytes", file("P6 2 2 255\n", 1, 2), /10 bytes of its pixels are missing/],
    ["a size that no memory has", file("P5 99999999 99999999 255\n"), /its size is/],
    ["a value above the largest", file("P5 1 1 15\n", 16), /the value 16 above its largest, 15/],
    ["words", file("P2 2 1 255\n1 x\n"), /expected 2 whole numbers/],
  ])("is refused for %s", (_, bytes, message) => {
    expect(() => decodeNetpbm(bytes)).toThrow(message);
  });
});
