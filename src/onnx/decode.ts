/** @file Bytes -> ModelProto, with a clear message for bytes of another format. Protobuf has no
 *  magic number and decodes much garbage without an error. So a message without graph, opset and
 *  version counts as garbage. */
import { fromBinary } from "@bufbuild/protobuf";
import { DynnError, reasonOf } from "../core/errors.js";
import { type ModelProto, ModelProtoSchema } from "./generated/onnx_pb.js";
import { passedLimit, type ScanLimit } from "./scan.js";

/** Messages may nest this deeply. Each sub-graph takes three levels. The decoder has the same
 * limit. */
const MESSAGE_DEPTH = 100;

/** The first bytes of other files that people give by mistake: offset, text, description. */
const FOREIGN: readonly (readonly [offset: number, text: string, what: string])[] = [
  [0, "PK\x03\x04", "a ZIP archive (a PyTorch .pt or Keras .keras file is one); export the model to ONNX first"],
  [0, "\x80\x02", "a Python pickle; export the model to ONNX first"],
  [0, "\x89HDF", "an HDF5 file (a Keras .h5 file is one); export the model to ONNX first"],
  [4, "TFL3", "a TensorFlow Lite model; convert it to ONNX first"],
  [4, "ORTM", "a model in ONNX Runtime's own .ort format; give the .onnx file it was made from"],
  [0, "version https://git-lfs", "a Git LFS pointer; get the model itself with `git lfs pull`"],
  [0, "\x1f\x8b", "a gzip file; unpack it first"],
  [0, "<", "a web page or XML; download the model file itself"],
  [0, "{", "JSON; give a binary .onnx file"],
];

/** Limits that hold before a model is decoded. */
type DecodeLimits = Omit<ScanLimit, "depth">;

/** Decodes a model.
 * @throws DynnError 'model/parse', 'model/limit' */
export function decodeModel(bytes: Uint8Array, name: string, limits: DecodeLimits): ModelProto {
  const passed = passedLimit(ModelProtoSchema, bytes, { ...limits, depth: MESSAGE_DEPTH });
  if (passed) throw tooMuch(name, passed, limits);
  const proto = tryDecode(bytes, name);
  if (proto.graph || proto.opsetImport.length > 0 || proto.irVersion !== 0n) return proto;
  throw notOnnx(bytes, name, "it has no graph, opset or version");
}

function tooMuch(name: string, passed: keyof ScanLimit, { decodedBytes, nodes }: DecodeLimits): DynnError {
  const texts: Readonly<Record<keyof ScanLimit, string>> = {
    depth: `its messages are nested more than ${MESSAGE_DEPTH} deep. Export the model without sub-graphs.`,
    nodes: `it has more than ${nodes} nodes. Raise limits.nodes if the model needs this size.`,
    decodedBytes: `decoded it would take more than the limit of ${decodedBytes} bytes without its raw tensors. Export the model with raw tensor data, or raise limits.decodedBytes if the model needs this size.`,
  };
  return new DynnError("model/limit", `${name}: ${texts[passed]}`, { name, passed, decodedBytes, nodes });
}

function tryDecode(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw notOnnx(bytes, name, reasonOf(cause), cause);
  }
}

function notOnnx(bytes: Uint8Array, name: string, reason: string, cause?: unknown): DynnError {
  const foreign = FOREIGN.find(([offset, text]) =>
    [...text].every((char, i) => bytes[offset + i] === char.charCodeAt(0)),
  );
  const text =
    bytes.length === 0
      ? "the file is empty (0 bytes). Give an ONNX model."
      : foreign
        ? `not an ONNX model, but ${foreign[2]}.`
        : `${bytes.length} bytes that are not a whole ONNX model (${reason}). The file may be cut off or damaged; get it again.`;
  return new DynnError("model/parse", `${name}: ${text}`, { name, bytes: bytes.length, reason }, { cause });
}
