/** @file Changes the metadata in the bytes of a model file. Everything else stays the same bit
 *  by bit, including parts that dynn cannot read. Source: onnx.proto
 *  (ModelProto.metadata_props); Protocol Buffers, "Encoding": fields of a message may come in
 *  any order. */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { concatBytes } from "../core/bytes.js";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "./generated/onnx_pb.js";
import { type BytesPlace, bytesAt, type MessageField, messageFields } from "./message-fields.js";

const FIELD = ModelProtoSchema.field.metadataProps.number;
const KEY = StringStringEntryProtoSchema.field.key.number;

/** The bytes with these entries. They replace the entries of the same keys.
 * @param bytes of an ONNX file
 * @throws DynnError 'model/parse' when the bytes are not a sequence of fields */
export function patchMetadata(bytes: Uint8Array, entries: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const isReplaced = ({ number, content }: MessageField): boolean =>
    number === FIELD && content !== undefined && entries.has(keyAt(bytes, content));
  const kept = messageFields(bytes).filter((field) => !isReplaced(field));
  const added = [...entries].map(([key, value]) => {
    const entry = toBinary(StringStringEntryProtoSchema, create(StringStringEntryProtoSchema, { key, value }));
    return new BinaryWriter().tag(FIELD, WireType.LengthDelimited).bytes(entry).finish();
  });
  return concatBytes([...kept.map(({ whole }) => bytesAt(bytes, whole)), ...added]);
}

/** The key of the metadata entry at a place.
 * @throws DynnError 'model/parse' */
function keyAt(bytes: Uint8Array, entry: BytesPlace): string {
  const key = messageFields(bytes, entry).findLast(({ number }) => number === KEY)?.content;
  return key ? new TextDecoder().decode(bytesAt(bytes, key)) : "";
}
