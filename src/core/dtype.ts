/** @file Element types: ONNX's tensor types under the names JavaScript people use, and their typed arrays.
 *  float16 and bfloat16 travel as raw 16-bit patterns (Uint16Array); bool as bytes 0 or 1 (Uint8Array). */

/** The typed array that holds each element type. */
export const ARRAY_OF = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** An element type. */
export type DType = keyof typeof ARRAY_OF;

interface Arrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly bfloat16: Uint16Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  readonly bool: Uint8Array;
}

/** The typed array of a dtype. */
export type ArrayOf<D extends DType = DType> = Arrays[D];

export const isFloat = (dtype: DType): boolean =>
  dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";

/** Bytes of one element. */
export const byteSize = (dtype: DType): number => ARRAY_OF[dtype].BYTES_PER_ELEMENT;

/** ONNX's number of the dtype in TensorProto.DataType, for attributes `to` and `dtype`. */
export const ONNX_CODE = {
  float32: 1,
  float64: 11,
  float16: 10,
  bfloat16: 16,
  int8: 3,
  uint8: 2,
  int16: 5,
  uint16: 4,
  int32: 6,
  uint32: 12,
  int64: 7,
  uint64: 13,
  bool: 9,
} as const satisfies Record<DType, number>;
