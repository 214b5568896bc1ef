/** @file The table of operators for the other rooms. */
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import type { Node } from "../graph/graph.js";
import type { OpDef, OpTable } from "../graph/op.js";
import { OPS } from "./index.js";
import { MICROSOFT_DOMAIN, MICROSOFT_OPS } from "./microsoft/index.js";
import { UNSUPPORTED } from "./unsupported.js";

const isStandard = (node: Node): boolean => node.domain === "" || node.domain === "ai.onnx";

/** The operators of the node's domain. */
const opsOf = (node: Node): Readonly<Record<string, OpDef>> =>
  isStandard(node) ? OPS : node.domain === MICROSOFT_DOMAIN ? MICROSOFT_OPS : {};

const find = (node: Node): OpDef | undefined => {
  const ops = opsOf(node);
  return Object.hasOwn(ops, node.opType) ? ops[node.opType] : undefined;
};

/** The error text for an operator that is not in the table, with the reason when dynn has one. */
function refusal(node: Node): string {
  const known = isStandard(node) ? UNSUPPORTED.get(node.opType) : undefined;
  if (known)
    return `dynn does not have ${node.opType}${known.status === "not yet" ? " yet" : ""}: ${known.reason}. ${known.instead}.`;
  const domain = node.domain ? ` of domain "${node.domain}"` : "";
  return `dynn does not know the operator ${node.opType}${domain}. Export with standard ONNX operators; docs/ops.md lists those that dynn knows.`;
}

/** Every operator that dynn knows. */
export const opTable: OpTable = {
  has: (node) => find(node) !== undefined,
  get: (node) => {
    const def = find(node);
    if (def) return def;
    throw new DynnError("model/op", `${showNode(node)}: ${refusal(node)}`, {
      opType: node.opType,
      domain: node.domain,
      node: node.name,
    });
  },
};
