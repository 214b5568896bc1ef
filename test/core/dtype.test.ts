import { expect, test } from "vitest";
import { ONNX_CODE } from "../../src/core/dtype.js";
import { TensorProto_DataType as Code } from "../../src/onnx/generated/onnx_pb.js";

test("codes of element types are those of ONNX's TensorProto.DataType", () => {
  const names = { float32: "FLOAT", float64: "DOUBLE" } as Record<string, keyof typeof Code>;
  for (const [dtype, code] of Object.entries(ONNX_CODE))
    expect(Code[names[dtype] ?? (dtype.toUpperCase() as keyof typeof Code)], dtype).toBe(code);
});
