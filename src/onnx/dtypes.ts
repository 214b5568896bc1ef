/** @file ONNX's element type codes (TensorProto.DataType) and dynn's names for them.
 *  Strings, complex numbers and types below 8 bits are not in the table: dynn does not compute with them. */
import type { DType } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { TensorProto_DataType as Code } from "./generated/onnx_pb.js";

export const CODE_OF = {
  float32: Code.FLOAT,
  float64: Code.DOUBLE,
  float16: Code.FLOAT16,
  bfloat16: Code.BFLOAT16,
  int8: Code.INT8,
  uint8: Code.UINT8,
  int16: Code.INT16,
  uint16: Code.UINT16,
  int32: Code.INT32,
  uint32: Code.UINT32,
  int64: Code.INT64,
  uint64: Code.UINT64,
  bool: Code.BOOL,
} as const satisfies Readonly<Record<DType, Code>>;

const DTYPE_OF = new Map<number, DType>(Object.entries(CODE_OF).map(([dtype, code]) => [code, dtype as DType]));

/** The element type of a code, or undefined when dynn has none. */
export const dtypeOf = (code: number): DType | undefined => DTYPE_OF.get(code);

/** The element type of a code.
 * @throws DynnError 'model/dtype' */
export function readDType(code: number, where: string): DType {
  const dtype = dtypeOf(code);
  if (dtype) return dtype;
  throw new DynnError(
    "model/dtype",
    `${where}: element type ${Code[code] ?? code} is not supported, expected one of ${Object.keys(CODE_OF).join(", ")}. Export the model with one of these.`,
    { code },
  );
}
