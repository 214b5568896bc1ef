/** @file Gradients that pass where a condition holds and are zero elsewhere. */

import type { DType } from "../../core/dtype.js";
import { ONNX_CODE } from "../../core/dtype.js";
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { ValueName } from "../../graph/graph.js";

export const cast = (b: GraphBuilder, x: ValueName, to: DType): ValueName =>
  b.op("Cast", [x], { to: int(ONNX_CODE[to]) });

/** dy * condition. A product rather than Where: it is faster in ONNX Runtime (measured, see docs/decisions). */
export const mask = (b: GraphBuilder, condition: ValueName, dy: ValueName, dtype: DType = "float32"): ValueName =>
  b.op("Mul", [dy, cast(b, condition, dtype)]);
