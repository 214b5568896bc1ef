/** @file The table of operators as the other rooms see it. */
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import type { Node } from "../graph/graph.js";
import type { OpDef, OpTable } from "../graph/op.js";
import { OPS } from "./index.js";

const find = (node: Node): OpDef | undefined =>
  (node.domain === "" || node.domain === "ai.onnx") && Object.hasOwn(OPS, node.opType)
    ? OPS[node.opType as keyof typeof OPS]
    : undefined;

/** Every operator that dynn knows. */
export const opTable: OpTable = {
  has: (node) => find(node) !== undefined,
  get: (node) => {
    const def = find(node);
    if (def) return def;
    const domain = node.domain ? ` of domain "${node.domain}"` : "";
    throw new DynnError(
      "model/op",
      `${showNode(node)}: dynn does not know the operator ${node.opType}${domain}. See docs/ops.md for the operators it knows; export with standard ONNX operators.`,
      { opType: node.opType, domain: node.domain, node: node.name },
    );
  },
};
