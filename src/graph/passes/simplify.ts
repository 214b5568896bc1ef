/** @file The passes that make a graph smaller with the same answers, in an order in which each
 *  helps the next. */
import type { Graph } from "../graph.js";
import type { OpTable } from "../op.js";
import { dropIdentities } from "./drop-identities.js";
import { foldAffine } from "./fold-affine.js";
import { foldConstants } from "./fold-constants.js";
import { prune } from "./prune.js";

/** Removes unused nodes, folds constants, drops identities, folds affine maps, then removes
 * unused nodes again. The first step is needed because an unused reader would prevent the
 * folding of a map. Answers change only by float rounding, where a BatchNormalization is folded
 * into weights. */
export const simplify = (graph: Graph, ops: OpTable): Graph =>
  prune(foldAffine(dropIdentities(foldConstants(prune(graph), ops), ops), ops));
