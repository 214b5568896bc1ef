/** @file Refuses a classifier whose answer for one image depends on the other images of its
 *  batch. A model left in training mode is such a classifier. */
import { DynnError } from "../core/errors.js";
import { showNode } from "./attributes.js";
import type { Graph } from "./graph.js";
import type { OpTable } from "./op.js";

/** @throws DynnError 'model/attribute' naming the first node that mixes the samples of a batch */
export function refuseBatchMixing(graph: Graph, ops: OpTable): void {
  const node = graph.nodes.find((n) => ops.has(n) && ops.get(n).mixesBatch?.({ node: n, opset: graph.opset }));
  if (!node) return;
  throw new DynnError(
    "model/attribute",
    `${showNode(node)}: it is in training mode, so each answer would depend on its batch. Export the model in evaluation mode.`,
    { node: node.name, attribute: "training_mode" },
  );
}
