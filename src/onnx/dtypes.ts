/** @file ONNX's element type codes (TensorProto.DataType) and dynn's names for them.
 *  Strings, complex numbers and types below 8 bits are not in the table: dynn does not compute with them. */
import { type DType, ONNX_CODE } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { TensorProto_DataType as Code } from "./generated/onnx_pb.js";

const DTYPE_OF = new Map<number, DType>(Object.entries(ONNX_CODE).map(([dtype, code]) => [code, dtype as DType]));

/** The element type of a code, or undefined when dynn has none. */
export const dtypeOf = (code: number): DType | undefined => DTYPE_OF.get(code);

/** The element type of a code.
 * @throws DynnError 'model/dtype' */
export function readDType(code: number, where: string): DType {
  const dtype = dtypeOf(code);
  if (dtype) return dtype;
  throw new DynnError(
    "model/dtype",
    `${where}: element type ${Code[code] ?? code} is not supported, expected one of ${Object.keys(ONNX_CODE).join(", ")}. Export the model with one of these.`,
    { code },
  );
}
