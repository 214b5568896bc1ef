/** @file TensorProto <-> Tensor. The reader allocates memory only for data that exist, never for
 *  what `dims` claims. Raw data is little-endian and may start at any byte. Typed arrays are
 *  little-endian too on every platform that ONNX Runtime's JavaScript packages support. Source:
 *  onnx.proto, TensorProto (which field holds which type). */

import { create } from "@bufbuild/protobuf";
import { bytesOf } from "../core/bytes.js";
import { ARRAY_OF, type ArrayOf, byteSize, type DType, isFloat, ONNX_CODE } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { type Dims, showShape, sizeOf } from "../core/shape.js";
import type { Tensor } from "../core/tensor.js";
import { GRAPH_LIMITS, tooLarge, volume } from "../graph/limits.js";
import { readDType } from "./dtypes.js";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./generated/onnx_pb.js";
import type { BytesPlace } from "./message-fields.js";

/** What the reader of a tensor needs besides the message. */
export interface TensorSource {
  /** Whether the bytes belong to the reader. Aligned tensors may then be views of them. */
  readonly owned: boolean;
  /** Largest tensor, in bytes. */
  readonly tensorBytes: number;
  /** Returns the bytes of a file of external data.
   * @throws DynnError 'model/external' */
  readonly external: (location: string, where: string) => Uint8Array;
  /** Bytes that the tensors have taken from each file so far. */
  readonly claimed: Map<string, number>;
}

/** All tensors together may take a file of external data this many times. More copies of a large
 * file would fill the memory. */
const CLAIMS = 4;

/** Reads a tensor.
 * @throws DynnError 'model/dtype', 'model/tensor', 'model/limit', 'model/external' */
export function readTensor(proto: TensorProto, where: string, source: TensorSource): Tensor {
  const dtype = readDType(proto.dataType, where);
  const dims = proto.dims.map((d) => readDim(d, where));
  if (dims.length > GRAPH_LIMITS.rank)
    throw tooLarge(where, `its shape has ${dims.length} axes`, String(GRAPH_LIMITS.rank));
  const bytes = volume(dims) * byteSize(dtype);
  if (bytes > source.tensorBytes)
    throw new DynnError(
      "model/limit",
      `${where}: shape ${showShape(dims)} of ${dtype} takes ${bytes} bytes, more than the limit of ${source.tensorBytes}. Raise limits.tensorBytes if the model needs this size.`,
      { dims, bytes, limit: source.tensorBytes },
    );
  if (proto.segment)
    throw new DynnError(
      "model/tensor",
      `${where}: its data is split into segments, which is not supported. Export the model again.`,
      {},
    );
  return { dtype, dims, data: readData(proto, dtype, dims, where, source) };
}

/** A dimension length as a number.
 * @throws DynnError 'model/tensor' below zero, 'model/limit' above 2^31 - 1 */
export function readDim(dim: bigint, where: string): number {
  if (dim < 0n)
    throw new DynnError(
      "model/tensor",
      `${where}: dimension ${dim} is negative, expected 0 or more. Export the model again, with a name for each dimension that varies.`,
      { dim: Number(dim) },
    );
  if (dim > GRAPH_LIMITS.dim)
    throw new DynnError(
      "model/limit",
      `${where}: dimension ${dim} is too long, expected at most ${GRAPH_LIMITS.dim}. Export the model again.`,
      { dim: Number(dim), limit: GRAPH_LIMITS.dim },
    );
  return Number(dim);
}

/** Bytes in a file in the model's own folder. */
export interface ExternalPlace extends BytesPlace {
  /** Name of the file. */
  readonly location: string;
}

/** A tensor as a message with raw data, which is a view of the tensor's array. With a place, the
 * message says only where the data lie. */
export const writeTensor = (t: Tensor, name: string, external?: ExternalPlace): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dataType: ONNX_CODE[t.dtype],
    dims: t.dims.map(BigInt),
    ...(external
      ? {
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: (["location", "offset", "length"] as const).map((key) => ({
            key,
            value: String(external[key]),
          })),
        }
      : { rawData: bytesOf(t.data) }),
  });

function readData(proto: TensorProto, dtype: DType, dims: Dims, where: string, source: TensorSource): ArrayOf {
  const external = proto.dataLocation === TensorProto_DataLocation.EXTERNAL;
  const raw = external ? externalBytes(proto, where, source) : proto.rawData;
  const data =
    external || raw.length > 0 ? fromBytes(dtype, raw, source.owned, where) : fromFields(proto, dtype, where);
  if (data.length !== sizeOf(dims))
    throw new DynnError(
      "model/tensor",
      `${where}: its data has ${data.length} elements, but shape ${showShape(dims)} needs ${sizeOf(dims)}. The file may be damaged; export the model again.`,
      { dims, elements: data.length },
    );
  return data;
}

function fromBytes(dtype: DType, bytes: Uint8Array, owned: boolean, where: string): ArrayOf {
  const size = byteSize(dtype);
  if (bytes.length % size !== 0)
    throw new DynnError(
      "model/tensor",
      `${where}: ${bytes.length} bytes are not a whole number of ${dtype} elements (${size} bytes each). The file may be damaged; export the model again.`,
      { dtype, bytes: bytes.length },
    );
  if (dtype === "bool" && bytes.some((byte) => byte > 1))
    throw outOfRange(dtype, bytes.find((byte) => byte > 1) as number, where);
  const whole = owned && bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAY_OF[dtype](whole.buffer as ArrayBuffer, whole.byteOffset, bytes.length / size);
}

/** The typed field that holds each element type when the message has no raw data. */
function fieldOf(proto: TensorProto, dtype: DType): readonly (number | bigint)[] {
  if (dtype === "float32") return proto.floatData;
  if (dtype === "float64") return proto.doubleData;
  if (dtype === "int64") return proto.int64Data;
  if (dtype === "uint64" || dtype === "uint32") return proto.uint64Data;
  return proto.int32Data;
}

function fromFields(proto: TensorProto, dtype: DType, where: string): ArrayOf {
  const values = fieldOf(proto, dtype);
  if (dtype === "int64") return BigInt64Array.from(values as readonly bigint[]);
  if (dtype === "uint64") return BigUint64Array.from(values as readonly bigint[]);
  const data = new ARRAY_OF[dtype](values.length) as Exclude<ArrayOf, BigInt64Array | BigUint64Array>;
  const exact = dtype === "float32" || dtype === "float64";
  values.forEach((value, i) => {
    data[i] = Number(value);
    if (!exact && (data[i] !== Number(value) || (dtype === "bool" && Number(value) > 1)))
      throw outOfRange(dtype, value, where);
  });
  return data;
}

const outOfRange = (dtype: DType, value: number | bigint, where: string): DynnError =>
  new DynnError(
    "model/tensor",
    `${where}: its data holds ${value}, which is not a valid ${dtype}${isFloat(dtype) ? " bit pattern" : ""}. The file may be damaged; export the model again.`,
    { dtype, value: Number(value) },
  );

function externalBytes(proto: TensorProto, where: string, source: TensorSource): Uint8Array {
  const entries = new Map(proto.externalData.map((entry) => [entry.key, entry.value]));
  const location = entries.get("location") ?? "";
  const file = source.external(location, where);
  const offset = wholeNumber(entries.get("offset") ?? "0");
  const length = wholeNumber(entries.get("length") ?? String(file.length - offset));
  if (!(offset + length <= file.length))
    throw new DynnError(
      "model/external",
      `${where}: it needs bytes ${entries.get("offset") ?? 0} to +${entries.get("length") ?? "end"} of "${location}", which has ${file.length}. Copy the data file again, whole.`,
      { location, bytes: file.length },
    );
  claim(location, length, file.length, where, source);
  return file.subarray(offset, offset + length);
}

/** @throws DynnError 'model/limit' */
function claim(location: string, length: number, whole: number, where: string, { claimed }: TensorSource): void {
  const sum = (claimed.get(location) ?? 0) + length;
  claimed.set(location, sum);
  if (sum > CLAIMS * whole)
    throw tooLarge(where, `the tensors take ${sum} bytes of "${location}", which has ${whole}`, `${CLAIMS} times over`);
}

/** A number written in decimal digits. Any other text gives NaN. */
const wholeNumber = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN);
