/** @file The places of the fields in an encoded message. Source: Protocol Buffers, "Encoding". */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { DynnError, reasonOf } from "../core/errors.js";

/** Bytes in a row within a file. */
export interface BytesPlace {
  /** Index of the first byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/** One field of a message. */
export interface MessageField {
  /** The field's number in the schema. */
  readonly number: number;
  /** The whole field, with its tag. */
  readonly whole: BytesPlace;
  /** The bytes of text, of raw data or of an inner message. Undefined for a number. */
  readonly content: BytesPlace | undefined;
}

/** The fields of a message in their order.
 * @param bytes of the file
 * @param message the place of the message; left out: the whole file
 * @throws DynnError 'model/parse' when the bytes are not a sequence of fields */
export function messageFields(
  bytes: Uint8Array,
  message: BytesPlace = { offset: 0, length: bytes.length },
): MessageField[] {
  const { offset, length } = message;
  const [reader, fields] = [new BinaryReader(bytes.subarray(offset, offset + length)), [] as MessageField[]];
  try {
    while (reader.pos < reader.len) {
      const from = reader.pos;
      const [number, wire] = reader.tag();
      const inner = wire === WireType.LengthDelimited ? reader.bytes().length : undefined;
      if (inner === undefined) reader.skip(wire, number);
      const end = offset + reader.pos;
      const content = inner === undefined ? undefined : { offset: end - inner, length: inner };
      fields.push({ number, whole: { offset: offset + from, length: reader.pos - from }, content });
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

/** The bytes at a place, as a view. */
export const bytesAt = (bytes: Uint8Array, { offset, length }: BytesPlace): Uint8Array =>
  bytes.subarray(offset, offset + length);
