/** @file Where the bytes of initializers lie in a model file. Another model can name these bytes as
 *  its external data. Source: onnx.proto (ModelProto.graph, GraphProto.initializer,
 *  TensorProto.raw_data). */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { DynnError, reasonOf } from "../core/errors.js";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "./generated/onnx_pb.js";

/** Bytes in a row within a file. */
export interface BytesPlace {
  /** Index of its first byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

const GRAPH = ModelProtoSchema.field.graph.number;
const INITIALIZER = GraphProtoSchema.field.initializer.number;
const { name: NAME, rawData: RAW_DATA } = TensorProtoSchema.field;

/** The place of the raw data of each initializer of the main graph. An initializer without raw data
 * is left out.
 * @param bytes of an ONNX file
 * @throws DynnError 'model/parse' when the bytes are not an ONNX model */
export function initializerPlaces(bytes: Uint8Array): ReadonlyMap<string, BytesPlace> {
  const places = new Map<string, BytesPlace>();
  try {
    for (const graph of fieldsOf(bytes, { offset: 0, length: bytes.length }, GRAPH))
      for (const tensor of fieldsOf(bytes, graph, INITIALIZER)) {
        const name = fieldsOf(bytes, tensor, NAME.number).at(-1);
        const data = fieldsOf(bytes, tensor, RAW_DATA.number).at(-1);
        if (name && data) places.set(textAt(bytes, name), data);
      }
    return places;
  } catch (cause) {
    throw new DynnError(
      "model/parse",
      `the bytes are not an ONNX model: ${reasonOf(cause)}. Give the bytes of a model file.`,
      {},
      { cause },
    );
  }
}

const textAt = (bytes: Uint8Array, { offset, length }: BytesPlace): string =>
  new TextDecoder().decode(bytes.subarray(offset, offset + length));

/** The places of the fields with a number in a message. */
function fieldsOf(bytes: Uint8Array, message: BytesPlace, wanted: number): BytesPlace[] {
  const reader = new BinaryReader(bytes.subarray(message.offset, message.offset + message.length));
  const found: BytesPlace[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === wanted && wire === WireType.LengthDelimited) {
      const { length } = reader.bytes();
      found.push({ offset: message.offset + reader.pos - length, length });
    } else reader.skip(wire, number);
  }
  return found;
}
