/** @file Element types of a node's inputs, held against what its operator takes. Source: the type constraints of the ONNX operators. */
import { type DType, isFloat } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { showNode } from "./attributes.js";
import type { ValueType } from "./graph.js";
import type { InferContext, InputKind, OpDef } from "./op.js";

const DEFAULT: readonly InputKind[] = ["T"];

/** What is said of an input that does not fit its kind; undefined where it fits.
 * @param shared the type of the first input of kind T or F */
const MISFITS: Readonly<Record<InputKind, (type: ValueType, shared: DType | undefined) => string | undefined>> = {
  any: () => undefined,
  T: ({ dtype }, shared) => (dtype === (shared ?? dtype) ? undefined : `${shared}, as the first such input is`),
  F: ({ dtype }, shared) => (isFloat(dtype) ? MISFITS.T({ dtype, shape: [] }, shared) : "a type of floating point"),
  float: ({ dtype }) => (isFloat(dtype) ? undefined : "a type of floating point"),
  bool: ({ dtype }) => (dtype === "bool" ? undefined : "bool"),
  index: ({ dtype }) => (dtype === "int64" || dtype === "int32" ? undefined : "int64 or int32"),
  vector: ({ dtype, shape }) => (dtype === "int64" && shape.length === 1 ? undefined : "int64 and one axis"),
};

/** @throws DynnError 'model/dtype' for the first input that does not fit */
export function checkInputTypes({ takes = DEFAULT }: OpDef, { node, inputs }: InferContext): void {
  const kindOf = (i: number) => takes[Math.min(i, takes.length - 1)];
  const shared = inputs.find((type, i) => type && (kindOf(i) === "T" || kindOf(i) === "F"))?.dtype;
  inputs.forEach((type, i) => {
    const expected = type && MISFITS[kindOf(i)](type, shared);
    if (!expected) return;
    throw new DynnError(
      "model/dtype",
      `${showNode(node)}: input ${i} is ${type.dtype} [${type.shape}], expected ${expected}. Export the model again.`,
      { node: node.name, input: i, dtype: type.dtype, shape: type.shape },
    );
  });
}
