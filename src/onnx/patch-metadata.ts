/** @file Changes the metadata in the bytes of a model file. Everything else stays the same bit
 *  by bit, including parts that dynn cannot read. Source: onnx.proto
 *  (ModelProto.metadata_props); Protocol Buffers, "Encoding": fields of a message may come in
 *  any order. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { concatBytes } from "../core/bytes.js";
import { DynnError, reasonOf } from "../core/errors.js";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "./generated/onnx_pb.js";

const FIELD = ModelProtoSchema.field.metadataProps.number;

/** The bytes with these entries. They replace the entries of the same keys.
 * @param bytes of an ONNX file
 * @throws DynnError 'model/parse' when the bytes are not a sequence of fields */
export function patchMetadata(bytes: Uint8Array, entries: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const kept = fieldsOf(bytes).filter(({ key }) => key === undefined || !entries.has(key));
  const added = [...entries].map(([key, value]) => {
    const entry = toBinary(StringStringEntryProtoSchema, create(StringStringEntryProtoSchema, { key, value }));
    return new BinaryWriter().tag(FIELD, WireType.LengthDelimited).bytes(entry).finish();
  });
  return concatBytes([...kept.map(({ from, to }) => bytes.subarray(from, to)), ...added]);
}

interface Field {
  readonly from: number;
  readonly to: number;
  /** The key, when the field is a metadata entry. */
  readonly key: string | undefined;
}

/** The place of each field of the model, from its first byte to its end.
 * @throws DynnError 'model/parse' */
function fieldsOf(bytes: Uint8Array): Field[] {
  const [reader, fields] = [new BinaryReader(bytes), [] as Field[]];
  try {
    while (reader.pos < reader.len) {
      const from = reader.pos;
      const [number, wire] = reader.tag();
      const key = number === FIELD ? fromBinary(StringStringEntryProtoSchema, reader.bytes()).key : undefined;
      if (number !== FIELD) reader.skip(wire, number);
      fields.push({ from, to: reader.pos, key });
    }
    return fields;
  } catch (cause) {
    throw new DynnError(
      "model/parse",
      `the bytes are not an ONNX model: ${reasonOf(cause)}. Give the bytes of a model file.`,
      {},
      { cause },
    );
  }
}
