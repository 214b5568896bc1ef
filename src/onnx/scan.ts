/** @file Estimates the memory of a protobuf message from its bytes, before the message is
 *  decoded. Two bytes can encode an object that takes some hundred bytes in memory, and one byte
 *  can encode a big integer. The scan uses the reader of the decoder and takes the same steps.
 *  It reads a field as the schema defines it, even when the bytes state another wire type. The
 *  decoder refuses malformed bytes. Source: Protocol Buffers, "Encoding"; @bufbuild/protobuf,
 *  from-binary. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { NodeProtoSchema } from "./generated/onnx_pb.js";

/** An upper bound of the bytes that decoded data take in memory, measured on Node.js 20 and
 * rounded up. */
const COST = { message: 640, text: 48, number: 16, bigint: 48 } as const;

const WIDE: ReadonlySet<ScalarType> = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64]);

/** Bytes of numbers of a fixed size. Other numbers are varints. */
const FIXED: ReadonlyMap<ScalarType, number> = new Map([
  [ScalarType.FLOAT, 4],
  [ScalarType.DOUBLE, 8],
]);

export interface ScanLimit {
  /** Memory that the decoded messages take, as an upper estimate. It does not include raw tensor
   * data, which are not copied. */
  readonly decodedBytes: number;
  /** Deepest nesting of messages. */
  readonly depth: number;
  /** Number of nodes, those of sub-graphs and functions included. */
  readonly nodes: number;
}

/** The limit that the decoded message would pass, or undefined.
 * @param desc type of the encoded message */
export function passedLimit(desc: DescMessage, bytes: Uint8Array, limit: ScanLimit): keyof ScanLimit | undefined {
  const walk = new Walk(bytes, limit);
  try {
    walk.message(desc, bytes.length, 1);
  } catch {
    // The bytes are malformed from here on, or a limit is passed. The decoder stops at the same
    // byte.
  }
  return walk.passed;
}

class Walk {
  passed: keyof ScanLimit | undefined;
  readonly #reader: BinaryReader;
  readonly #limit: ScanLimit;
  #decodedBytes = 0;
  #nodes = 0;

  constructor(bytes: Uint8Array, limit: ScanLimit) {
    this.#reader = new BinaryReader(bytes);
    this.#limit = limit;
  }

  message(desc: DescMessage, end: number, depth: number): void {
    if (depth > this.#limit.depth) this.#stop("depth");
    if (desc === NodeProtoSchema && ++this.#nodes > this.#limit.nodes) this.#stop("nodes");
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
