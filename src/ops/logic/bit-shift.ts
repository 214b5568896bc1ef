/** @file BitShift: an unsigned integer times or divided by a power of two; bits that leave the type are lost.
 *  Spec: ONNX BitShift-11. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";
import { bitwise, UNSIGNED } from "../support/bits.js";

function isLeft(node: Node): boolean {
  const direction = attribute(node, "direction", "string") ?? "";
  if (direction === "LEFT" || direction === "RIGHT") return direction === "LEFT";
  throw mismatch(node, `direction "${direction}" is unknown, expected LEFT or RIGHT. Export the model again.`);
}

export const BitShift = bitwise("BitShift", (x, w, node) => (isLeft(node) ? x << w : x >> w), UNSIGNED);
