/** @file Sampling points of an image as GridSample counts them: -1..1 runs over the image, from the centres of the corner pixels
 *  (align_corners) or from their outer edges. Spec: ONNX GridSample-20; Jaderberg et al. 2015, section 3.3. */
import type { Shape } from "../../core/shape.js";
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";

export type Interpolation = "linear" | "nearest";
export type Padding = "zeros" | "border" | "reflection";

export interface Sampling {
  readonly mode: Interpolation;
  readonly padding: Padding;
  readonly align: boolean;
}

/** Names of opset 16 and of opset 20. */
const MODES: Readonly<Record<string, Interpolation>> = { bilinear: "linear", linear: "linear", nearest: "nearest" };
const PADDINGS: readonly Padding[] = ["zeros", "border", "reflection"];

/** @throws DynnError 'shape/mismatch' for a mode or padding that dynn has not */
export function samplingOf(node: Node): Sampling {
  const mode = attribute(node, "mode", "string") ?? "linear";
  const padding = attribute(node, "padding_mode", "string") ?? "zeros";
  const known = PADDINGS.find((p) => p === padding);
  if (!Object.hasOwn(MODES, mode) || !known)
    throw mismatch(
      node,
      `mode "${mode}" with padding_mode "${padding}" is not supported, expected ${Object.keys(MODES).join(", ")} with ${PADDINGS.join(", ")}. Export the model with one of those.`,
    );
  return { mode: MODES[mode], padding: known, align: attribute(node, "align_corners", "int") === 1 };
}

/** @throws DynnError 'shape/mismatch' unless x is [n,c,h,w] and the grid [n,h',w',2] */
export function checkGrid(node: Node, x: Shape, grid: Shape): void {
  if (x.length === 4 && grid.length === 4 && grid[3] === 2) return;
  throw mismatch(
    node,
    `X has shape [${x}] and the grid [${grid}], expected [n,c,h,w] and [n,h,w,2]. Feed images and points in the plane.`,
    { x, grid },
  );
}

/** A grid value g is the pixel position slope * g + shift. */
export const pixelMap = (length: number, align: boolean): { readonly slope: number; readonly shift: number } => ({
  slope: (align ? length - 1 : length) / 2,
  shift: (length - 1) / 2,
});

/** The index that stands for one outside 0..length-1, or -1 for a zero. */
export function padIndex(at: number, length: number, { padding, align }: Sampling): number {
  if (at >= 0 && at < length) return at;
  if (padding === "zeros") return -1;
  if (padding === "border") return Math.max(0, Math.min(length - 1, at));
  const [low, span] = align ? [0, length - 1] : [-0.5, length];
  if (span === 0) return 0;
  const folded = (((at - low) % (2 * span)) + 2 * span) % (2 * span);
  return low + Math.min(folded, 2 * span - folded);
}
