/** @file Checks of the weights that Conv and ConvTranspose share: groups, kernel size, ranks. */
import { isStatic, type Shape } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";

/** Number of channel groups. ONNX Runtime would divide by 0 groups.
 * @throws DynnError 'shape/mismatch' below 1 */
export function groupsOf(node: Node): number {
  const groups = attribute(node, "group", "int") ?? 1;
  if (groups >= 1) return groups;
  throw mismatch(node, `group is ${groups}, expected at least 1. Export the model again.`, { groups });
}

/** Checks that the number of kernels of W [kernels, ...] is a multiple of the number of groups.
 * @throws DynnError 'shape/mismatch' */
export function checkGroups(node: Node, w: Shape): void {
  const [kernels, groups] = [w[0], groupsOf(node)];
  if (typeof kernels !== "number" || kernels % groups === 0) return;
  throw mismatch(node, `W has ${kernels} kernels, expected a multiple of group, ${groups}. Export the model again.`, {
    w,
    groups,
  });
}

/** Spatial size of the kernel of W.
 * @throws DynnError 'shape/mismatch' when it is unknown, or the attribute kernel_shape differs
 *   from it */
export function kernelShape(node: Node, w: Shape): readonly number[] {
  const [stated, own] = [attribute(node, "kernel_shape", "ints"), w.slice(2)];
  const kernel = stated ?? own;
  if (!isStatic(kernel)) throw mismatch(node, "the kernel's size is unknown. Export the model with constant weights.");
  if (kernel.length === own.length && own.every((d, i) => typeof d === "string" || d === kernel[i])) return kernel;
  throw mismatch(node, `kernel_shape is [${kernel}] but W has shape [${w}]. Export the model again.`, { w });
}

/** @throws DynnError 'shape/mismatch' unless X and W have equal ranks of 3 or more */
export function checkRanks(node: Node, x: Shape, w: Shape): void {
  if (x.length >= 3 && w.length === x.length) return;
  throw mismatch(
    node,
    `X has shape [${x}] and W [${w}], expected equal ranks of 3 or more. Feed images as [n,c,h,w].`,
    { x, w },
  );
}
