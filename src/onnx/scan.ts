/** @file Looks over the bytes of a message before anything is made of them. Two bytes can stand for an object of some hundred bytes in
 *  memory, and one for a big integer; here they are counted, in the decoder's own steps: the reader is the decoder's, and the schema says
 *  how a field is written, whatever its wire type claims. What is malformed is left to the decoder to refuse.
 *  Source: Protocol Buffers, "Encoding"; @bufbuild/protobuf, from-binary. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Bytes that decoded data take in memory, at most (measured on Node 20, rounded up). */
const COST = { message: 640, text: 48, number: 16, bigint: 48 } as const;

const WIDE: ReadonlySet<ScalarType> = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64]);

/** Bytes of a number of fixed size; what is not listed is a varint. */
const FIXED: ReadonlyMap<ScalarType, number> = new Map([
  [ScalarType.FLOAT, 4],
  [ScalarType.DOUBLE, 8],
]);

export interface ScanLimit {
  /** Memory that the decoded messages take, estimated from above. Raw tensor data stay where they are and do not count. */
  readonly decodedBytes: number;
  /** Deepest nesting of messages. */
  readonly depth: number;
}

/** The limit that the decoded message would pass, or undefined.
 * @param desc what the bytes are */
export function passedLimit(desc: DescMessage, bytes: Uint8Array, limit: ScanLimit): keyof ScanLimit | undefined {
  const walk = new Walk(bytes, limit);
  try {
    walk.message(desc, bytes.length, 1);
  } catch {
    // Malformed from here on, or far enough: the decoder stops at the same byte.
  }
  return walk.passed;
}

class Walk {
  passed: keyof ScanLimit | undefined;
  readonly #reader: BinaryReader;
  readonly #limit: ScanLimit;
  #decodedBytes = 0;

  constructor(bytes: Uint8Array, limit: ScanLimit) {
    this.#reader = new BinaryReader(bytes);
    this.#limit = limit;
  }

  message(desc: DescMessage, end: number, depth: number): void {
    if (depth > this.#limit.depth) this.#stop("depth");
    this.#take(COST.message);
    const fields = fieldsOf(desc);
    while (this.#reader.pos < end) {
      const [number, wire] = this.#reader.tag();
      const field = fields.get(number);
      if (field) this.#field(field, wire, depth);
      else this.#reader.skip(wire, number);
    }
  }

  #field(field: DescField, wire: WireType, depth: number): void {
    const scalar = field.scalar ?? ScalarType.INT32;
    if (field.message) {
      const length = this.#reader.uint32();
      this.message(field.message, this.#reader.pos + length, depth + 1);
    } else if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) this.#text(scalar);
    else this.#numbers(scalar, field.fieldKind === "list" && wire === WireType.LengthDelimited);
  }

  #numbers(scalar: ScalarType, packed: boolean): void {
    const length = packed ? this.#reader.uint32() : 1;
    const end = this.#reader.pos + length;
    const [cost, size] = [WIDE.has(scalar) ? COST.bigint : COST.number, FIXED.get(scalar)];
    while (this.#reader.pos < end) {
      this.#take(cost);
      if (size === undefined) this.#reader.uint32();
      else this.#reader.pos += size;
    }
  }

  #text(scalar: ScalarType): void {
    const length = this.#reader.uint32();
    this.#take(COST.text + (scalar === ScalarType.STRING ? 2 * length : 0));
    this.#reader.pos += length;
  }

  #take(bytes: number): void {
    this.#decodedBytes += bytes;
    if (this.#decodedBytes > this.#limit.decodedBytes) this.#stop("decodedBytes");
  }

  #stop(passed: keyof ScanLimit): never {
    this.passed = passed;
    throw new Error(`past the limit of ${passed}`);
  }
}

const fieldMaps = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  const found = fieldMaps.get(desc) ?? new Map(desc.fields.map((field) => [field.number, field]));
  fieldMaps.set(desc, found);
  return found;
}
