/** @file The head that says how much of a stage's work a block finishes: the mean over the image,
 *  normalised, then a linear layer and a sigmoid. Source: Figurnov et al., "Spatially adaptive
 *  computation time", CVPR 2017, section 3.1 (Graves 2016). */
import { filled } from "../init.js";
import { batchNorm, type Feature, flatten, globalPool, inside, linear, node, type Scope } from "../layers.js";

/** sigmoid(-3) is 0.05, so all blocks of a stage run at first. */
const LATE = { bias: filled(-3) };

/** The halting share in (0,1), float32 [n,1].
 * @param at the scope of the gate behind the block
 * @param x output of the block, [c,h,w] */
export function haltingHead(at: Scope, x: Feature): Feature {
  const last = inside(at, "fc");
  const features = flatten(at, "flat", batchNorm(at, "bn", globalPool(at, "pooled", x)));
  return node(at, "halting", "Sigmoid", [linear(last, last.path, features, 1, LATE).value], [1]);
}
