/** @file The passes that make a graph smaller without changing its answers, in the order that lets each help the next. */
import type { Graph } from "../graph.js";
import type { OpTable } from "../op.js";
import { dropIdentities } from "./drop-identities.js";
import { foldAffine } from "./fold-affine.js";
import { foldConstants } from "./fold-constants.js";
import { prune } from "./prune.js";

/** Fold constants, drop identities, fold affine maps, then forget what nothing needs.
 *  Answers change by float rounding only (BatchNormalization folded into weights). */
export const simplify = (graph: Graph, ops: OpTable): Graph =>
  prune(foldAffine(dropIdentities(foldConstants(graph, ops), ops), ops));
