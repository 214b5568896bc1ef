/** @file Reads and writes named tensors in one file, in the safetensors format: 8 bytes of header
 *  length, a JSON header, raw elements. The reader checks the header against the bytes before it
 *  copies elements. Offsets must cover the data without gap or overlap. Source:
 *  github.com/huggingface/safetensors, "Format". */

import { z } from "zod";
import { bytesOf, concatBytes } from "../../core/bytes.js";
import { ARRAY_OF, type ArrayOf, byteSize, type DType } from "../../core/dtype.js";
import { DynnError, type ErrorDetail, reasonOf } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import { type Tensor, tensor } from "../../core/tensor.js";

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

const METADATA = "__metadata__";
const LENGTH_BYTES = 8;
/** The format's own limit. */
const MAX_HEADER = 100_000_000;
/** Elements begin at a multiple of this number, so that any reader can map them into memory. */
const ALIGNMENT = 8;

const CODE_OF = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
} as const satisfies Record<DType, string>;
const DTYPE_OF = new Map(Object.entries(CODE_OF).map(([dtype, code]) => [code as string, dtype as DType]));

const size = z.number().int().min(0);
const entrySchema = z.object({
  dtype: z.enum(Object.values(CODE_OF)),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
/** A JSON object, as a list of its entries. z.record would lose a tensor named "__proto__". */
const objectSchema = z.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value), {
  error: "expected an object",
});
const noteSchema = z.string();

/** The bytes of a file. Equal tensors give equal bytes in every order of the map. They are written
 * with the widest elements first, then by name. */
export function writeTensors({ tensors, metadata }: TensorFile): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(
    ([a, s], [b, t]) => byteSize(t.dtype) - byteSize(s.dtype) || (a < b ? -1 : a > b ? 1 : 0),
  );
  let end = 0;
  const entries = sorted.map(([name, { dtype, dims, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: CODE_OF[dtype], shape: dims, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries([[METADATA, Object.fromEntries(metadata)], ...entries]));
  const text = new TextEncoder().encode(json);
  const start = Math.ceil((LENGTH_BYTES + text.length) / ALIGNMENT) * ALIGNMENT;
  const head = new Uint8Array(start).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(start - LENGTH_BYTES), true);
  head.set(text, LENGTH_BYTES);
  return concatBytes([head, ...sorted.map(([, { data }]) => bytesOf(data))]);
}

/** Read a file.
 * @param where the file's name in errors
 * @throws DynnError 'checkpoint/format' when the bytes are not a safetensors file, or a file that
 *  is truncated or damaged */
export function readTensors(bytes: Uint8Array, where: string): TensorFile {
  const { header, start } = readHeader(bytes, where);
  const notes = Object.entries(checked(objectSchema, header.get(METADATA) ?? {}, where, METADATA));
  const metadata = notes.map(([key, note]) => [key, checked(noteSchema, note, where, METADATA)] as const);
  const entries = [...header]
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => ({ name, ...checked(entrySchema, entry, where, name) }));
  checkTiling(entries, bytes.length - start, where);
  const tensors = entries.map(({ name, dtype: code, shape, data_offsets: [begin, end] }) => {
    const dtype = DTYPE_OF.get(code) as DType;
    if (sizeOf(shape) * byteSize(dtype) !== end - begin)
      throw damaged(where, `"${name}" has ${end - begin} bytes for ${code} [${shape.join()}]`, { name, shape });
    // The constructor copies. The method slice of a Node Buffer does not copy.
    const elements = new Uint8Array(bytes.subarray(start + begin, start + end));
    const ArrayType = ARRAY_OF[dtype] as new (buffer: ArrayBufferLike) => ArrayOf;
    return [name, tensor(dtype, shape, new ArrayType(elements.buffer))] as const;
  });
  return { tensors: new Map(tensors), metadata: new Map(metadata) };
}

function readHeader(bytes: Uint8Array, where: string): { header: Map<string, unknown>; start: number } {
  if (bytes.length < LENGTH_BYTES) throw damaged(where, `it has ${bytes.length} bytes`, { bytes: bytes.length });
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = LENGTH_BYTES + length;
  if (length > MAX_HEADER || start > bytes.length)
    throw damaged(where, `its header has ${length} bytes and the file ${bytes.length}`, { length });
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, start));
    return { header: new Map(Object.entries(checked(objectSchema, JSON.parse(text), where, "header"))), start };
  } catch (cause) {
    if (cause instanceof DynnError) throw cause;
    throw damaged(where, `its header is not JSON (${reasonOf(cause)})`, {}, cause);
  }
}

/** @throws DynnError 'checkpoint/format' when the tensors do not cover all the data without gap or
 *  overlap */
function checkTiling(
  entries: readonly { readonly name: string; readonly data_offsets: readonly [number, number] }[],
  length: number,
  where: string,
): void {
  let at = 0;
  const inOrder = [...entries].sort(
    (a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  for (const { name, data_offsets } of inOrder) {
    const [begin, end] = data_offsets;
    if (begin !== at || end < begin)
      throw damaged(where, `"${name}" lies at ${begin} to ${end}, expected it to begin at ${at}`, { name, begin, end });
    at = end;
  }
  if (at !== length)
    throw damaged(where, `it has ${length} bytes of elements, expected ${at}`, { length, expected: at });
}

function checked<T>(schema: z.ZodType<T>, value: unknown, where: string, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  throw damaged(where, `"${what}" in its header is wrong (${issues[0]?.message})`, { what, issues });
}

const damaged = (where: string, what: string, detail: ErrorDetail, cause?: unknown): DynnError =>
  new DynnError(
    "checkpoint/format",
    `${where}: is not a complete safetensors file: ${what}. Use another checkpoint, or start the run again.`,
    detail,
    { cause },
  );
