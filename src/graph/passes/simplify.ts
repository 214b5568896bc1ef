/** @file The passes that make a graph smaller without changing its answers, in the order that lets each help the next. */
import type { Graph } from "../graph.js";
import type { OpTable } from "../op.js";
import { dropIdentities } from "./drop-identities.js";
import { foldAffine } from "./fold-affine.js";
import { foldConstants } from "./fold-constants.js";
import { prune } from "./prune.js";

/** Forget what nothing needs (a dead reader would keep a map from being folded), fold constants, drop identities, fold affine
 *  maps, then forget what that left over.
 *  Answers change by float rounding only (BatchNormalization folded into weights). */
export const simplify = (graph: Graph, ops: OpTable): Graph =>
  prune(foldAffine(dropIdentities(foldConstants(prune(graph), ops), ops), ops));
