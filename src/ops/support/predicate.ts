/** @file Builders of operators with a boolean output. They have no gradient. */
import type { DType } from "../../core/dtype.js";
import type { Node } from "../../graph/graph.js";
import { inputType, type NoGradient, type OpDef } from "../../graph/op.js";
import { binary, unary } from "./elementwise.js";

export const BOOLEAN: NoGradient = { none: "its output is boolean" };

/** A test of one value. */
export const predicate = (type: string, holds: (x: number, node: Node) => boolean): OpDef => ({
  ...unary(type, (x, node) => Number(holds(x, node)), BOOLEAN),
  infer: (ctx) => [{ dtype: "bool", shape: inputType(ctx, 0).shape }],
});

/** A test of two values, with broadcasting. */
export const relation = (type: string, holds: (x: number, w: number) => boolean): OpDef =>
  binary(
    type,
    (x, w) => Number(holds(x, w)),
    BOOLEAN,
    (): DType => "bool",
  );
