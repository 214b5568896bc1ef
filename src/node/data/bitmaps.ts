/** @file Image files that sharp's builds do not read: BMP without compression, and Netpbm (.ppm,
 *  .pgm).
 *  Sources: Microsoft, "Bitmap Storage" (BITMAPINFOHEADER and its successors); Netpbm, "PPM and PGM
 *  Format Specification". */
import { counted } from "../../core/units.js";

/** Interleaved RGB bytes, row by row from the top. */
interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Largest number of pixels, as sharp limits it. Nothing is allocated before the bytes of the
 * pixels are there. */
const MOST_PIXELS = 0x3fff ** 2;

/** Decode a BMP of 1, 4, 8, 16, 24 or 32 bits a pixel. Its alpha is dropped.
 * @throws Error that says what is wrong or not supported */
export function decodeBmp(bytes: Uint8Array): DecodedImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 54 || view.getUint16(0, true) !== 0x4d42) throw new Error("it has no BMP header");
  const [start, header] = [view.getUint32(10, true), view.getUint32(14, true)];
  if (header < 40) throw new Error(`its header has ${header} bytes, expected at least 40`);
  const [width, signed] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const height = Math.abs(signed);
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`it has ${bits} bits a pixel`);
  if (compression !== 0 && !(compression === 3 && bits >= 16)) throw new Error("it is a compressed BMP");
  checkSize(width, height, start + stride * height - bytes.length);
  const colourAt = bits <= 8 ? paletteOf(view, { header, bits, start }) : masksOf(view, { bits, compression });
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (signed < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++) pixels.set(colourAt(row, x), 3 * (y * width + x));
  }
  return { width, height, pixels };
}

/** Gives the colour of pixel x of the row that begins at byte `row`. */
type ColourAt = (row: number, x: number) => ArrayLike<number>;

interface PaletteLayout {
  readonly header: number;
  readonly bits: number;
  readonly start: number;
}

function paletteOf(view: DataView, { header, bits, start }: PaletteLayout): ColourAt {
  const from = 14 + header;
  const count = view.getUint32(46, true) || 1 << bits;
  if (count > 1 << bits || from + 4 * count > start) throw new Error(`its palette of ${count} colours does not fit`);
  const colours = Array.from({ length: count }, (_, i) => [2, 1, 0].map((k) => view.getUint8(from + 4 * i + k)));
  return (row, x) => {
    const byte = view.getUint8(row + Math.floor((x * bits) / 8));
    const index = (byte >> (8 - bits - ((x * bits) % 8))) & ((1 << bits) - 1);
    const colour = colours[index];
    if (colour) return colour;
    throw new Error(`a pixel has colour ${index} of a palette of ${count}`);
  };
}

function masksOf(view: DataView, { bits, compression }: { bits: number; compression: number }): ColourAt {
  if (bits === 24) return (row, x) => [2, 1, 0].map((k) => view.getUint8(row + 3 * x + k));
  const usual = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  const masks = compression === 3 ? [54, 58, 62].map((at) => view.getUint32(at, true)) : usual;
  if (masks.includes(0)) throw new Error("it has a colour without bits");
  const fields = masks.map((mask) => {
    const low = 2 ** (31 - Math.clz32(mask & -mask));
    return { low, levels: mask / low };
  });
  if (fields.some(({ levels }) => !Number.isInteger(Math.log2(levels + 1)))) throw new Error("a colour mask has gaps");
  return (row, x) => {
    const value = bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    return fields.map(({ low, levels }) => Math.round((255 * (Math.floor(value / low) % (levels + 1))) / levels));
  };
}

/** Decode a Netpbm file: P2 and P5 (grey), P3 and P6 (colour), 8 or 16 bits, brought to 8.
 * @throws Error that says what is wrong */
export function decodeNetpbm(bytes: Uint8Array): DecodedImage {
  const { words, end } = netpbmHeader(bytes);
  const [kind = "", ...rest] = words;
  const [width = 0, height = 0, most = 0] = rest.map(Number);
  if (!/^P[2356]$/.test(kind)) throw new Error("it is not a Netpbm file of kind P2, P3, P5 or P6");
  if (!(Number.isInteger(most) && most >= 1 && most <= 65535)) throw new Error(`its largest value is ${rest[2]}`);
  const channels = kind === "P3" || kind === "P6" ? 3 : 1;
  const size = most > 255 ? 2 : 1;
  const plain = kind === "P2" || kind === "P3";
  const count = width * height * channels;
  checkSize(width, height, plain ? 2 * count - 1 - (bytes.length - end) : count * size - (bytes.length - end));
  const values = plain ? plainValues(bytes.subarray(end), count) : rawValues(bytes.subarray(end), count, size);
  const pixels = new Uint8Array(3 * width * height);
  for (let i = 0; i < pixels.length; i++) {
    const value = values[channels === 3 ? i : Math.floor(i / 3)];
    if (!(value <= most)) throw new Error(`it has the value ${value} above its largest, ${most}`);
    pixels[i] = Math.round((255 * value) / most);
  }
  return { width, height, pixels };
}

/** The four words of the header, without comments. One white space follows them. */
function netpbmHeader(bytes: Uint8Array): { words: string[]; end: number } {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
  const found = /^(P\d)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:#[^\n]*\n|\s)/.exec(text);
  if (!found) throw new Error("it has no Netpbm header");
  return { words: found.slice(1), end: found[0].length };
}

const rawValues = (bytes: Uint8Array, count: number, size: number): ArrayLike<number> =>
  size === 1
    ? bytes.subarray(0, count)
    : Uint16Array.from({ length: count }, (_, i) => 256 * bytes[2 * i] + bytes[2 * i + 1]);

function plainValues(bytes: Uint8Array, count: number): ArrayLike<number> {
  const text = new TextDecoder("latin1").decode(bytes).replaceAll(/#[^\n]*/g, " ");
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length < count || !words.every((word) => /^\d+$/.test(word)))
    throw new Error(`it has ${counted(words.length, "value")}, expected ${count} whole numbers`);
  return words.slice(0, count).map(Number);
}

/** @param missing bytes of pixels that are not there */
function checkSize(width: number, height: number, missing: number): void {
  if (!(width >= 1 && height >= 1 && width * height <= MOST_PIXELS))
    throw new Error(`its size is ${width}x${height}, expected 1 to ${MOST_PIXELS} pixels`);
  if (missing > 0) throw new Error(`${missing} bytes of its pixels are missing`);
}
