/** @file Reads and writes NumPy's .npy files. Reads versions 1 to 3, both byte orders, and C or
 *  Fortran order. The result is always in C order and in this machine's byte order. The reader
 *  checks the size in the header against the file before it allocates memory. Source: NumPy
 *  documentation, numpy.lib.format. */
import { bytesOf, concatBytes } from "../core/bytes.js";
import { ARRAY_OF, type ArrayOf, byteSize, type DType } from "../core/dtype.js";
import { DynnError, type ErrorDetail } from "../core/errors.js";
import { type Dims, sizeOf, stridesOf } from "../core/shape.js";
import { type Tensor, tensor } from "../core/tensor.js";

const MAGIC = "\x93NUMPY";
const MAX_HEADER = 65536;
const HOST_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "<" : ">";

const DTYPE_OF: Readonly<Record<string, DType>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
};
const KINDS = Object.keys(DTYPE_OF);

interface Header {
  readonly dtype: DType;
  readonly dims: Dims;
  readonly fortran: boolean;
  readonly swapped: boolean;
  /** First byte of the elements. */
  readonly offset: number;
}

/** Reads one array.
 * @param where the file's name in errors
 * @throws DynnError 'data/format' when the bytes are not a .npy file of plain numbers
 * @throws DynnError 'data/truncated' when elements are missing */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const header = readHeader(bytes, where);
  const { dtype, dims } = header;
  const expected = sizeOf(dims) * byteSize(dtype);
  const got = bytes.length - header.offset;
  if (got < expected)
    throw new DynnError(
      "data/truncated",
      `${where}: got ${got} bytes of elements, expected ${expected}. Save the array again.`,
      { got, expected },
    );
  if (got !== expected)
    throw formatError(where, `${got} bytes of elements`, `${expected}, as the header says`, { got, expected });
  const elements = new Uint8Array(bytes.subarray(header.offset));
  if (header.swapped) swapBytes(elements, byteSize(dtype));
  const ordered = header.fortran ? fromFortran(elements, dims, byteSize(dtype)) : elements;
  const ArrayType = ARRAY_OF[dtype] as new (buffer: ArrayBuffer) => ArrayOf;
  return tensor(dtype, dims, new ArrayType(ordered.buffer));
}

/** The bytes of a .npy file, version 1, C order, in this machine's byte order.
 * @throws Error for bfloat16, which NumPy does not have */
export function writeNpy(array: Tensor): Uint8Array {
  const kind = KINDS.find((name) => DTYPE_OF[name] === array.dtype);
  if (!kind) throw new Error(`bug: .npy has no element type ${array.dtype}`);
  const shape = array.dims.length === 1 ? `${array.dims[0]},` : array.dims.join(", ");
  const order = byteSize(array.dtype) === 1 ? "|" : HOST_ORDER;
  const dict = `{'descr': '${order}${kind}', 'fortran_order': False, 'shape': (${shape}), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const sizes = Uint8Array.of(length & 0xff, length >> 8);
  return concatBytes([latin1(`${MAGIC}\x01\x00`), sizes, latin1(`${dict.padEnd(length - 1)}\n`), bytesOf(array.data)]);
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

function formatError(where: string, got: string, expected: string, detail: ErrorDetail = {}): DynnError {
  return new DynnError(
    "data/format",
    `${where}: got ${got}, expected ${expected}. Save a plain numeric array with numpy.save.`,
    detail,
  );
}

function readHeader(bytes: Uint8Array, where: string): Header {
  const version = bytes[6];
  const prefix = version === 1 ? 10 : 12;
  if (
    bytes.length < prefix ||
    String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC ||
    !(version >= 1 && version <= 3)
  )
    throw formatError(where, "no .npy header", "a NumPy file of version 1 to 3", { bytes: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const offset = prefix + length;
  if (length > MAX_HEADER || offset > bytes.length)
    throw formatError(where, `a header of ${length} bytes`, `at most ${Math.min(MAX_HEADER, bytes.length - prefix)}`, {
      length,
    });
  return { ...parseDict(new TextDecoder().decode(bytes.subarray(prefix, offset)), where), offset };
}

/** The header is a Python dict literal with the three keys descr, fortran_order and shape. */
function parseDict(text: string, where: string): Omit<Header, "offset"> {
  const descr = /'descr'\s*:\s*'([<>|])(\w+)'/.exec(text);
  const dtype = descr && Object.hasOwn(DTYPE_OF, descr[2]) ? DTYPE_OF[descr[2]] : undefined;
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  const dims = shape === undefined ? [] : parseTuple(shape);
  if (!descr || !dtype || !fortran || shape === undefined || !Number.isSafeInteger(sizeOf(dims)))
    throw formatError(
      where,
      `the header ${text.trim().slice(0, 120)}`,
      `descr one of ${KINDS.join(" ")}, fortran_order and shape`,
      { header: text },
    );
  return { dtype, dims, fortran: fortran === "True", swapped: byteSize(dtype) > 1 && descr[1] !== HOST_ORDER };
}

/** Parses the inside of a tuple of lengths: "", "5," or "2, 3". An item that is not a length
 * becomes NaN. */
function parseTuple(text: string): number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
}

function swapBytes(elements: Uint8Array, size: number): void {
  for (let at = 0; at < elements.length; at += size) elements.subarray(at, at + size).reverse();
}

/** Moves elements from column-major order to row-major order. */
function fromFortran(elements: Uint8Array, dims: Dims, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(elements.length);
  const rowStrides = stridesOf(dims);
  const columnStrides = stridesOf(dims.toReversed()).reverse();
  for (let i = 0; i * size < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < dims.length; axis++)
      from += (Math.floor(i / rowStrides[axis]) % dims[axis]) * columnStrides[axis];
    out.set(elements.subarray(from * size, (from + 1) * size), i * size);
  }
  return out;
}
