/** @file What a scatter does where an element lies already. Spec: ONNX ScatterElements-18 and ScatterND-18, `reduction`. */
import { attribute } from "../../graph/attributes.js";
import type { Node } from "../../graph/graph.js";
import { mismatch } from "../../graph/op.js";
import { noGradient } from "./known.js";

const REDUCE = {
  none: (_: number, update: number): number => update,
  add: (old: number, update: number): number => old + update,
  mul: (old: number, update: number): number => old * update,
  min: Math.min,
  max: Math.max,
} as const;
type Name = keyof typeof REDUCE;

function nameOf(node: Node): Name {
  const name = attribute(node, "reduction", "string") ?? "none";
  if (Object.hasOwn(REDUCE, name)) return name as Name;
  throw mismatch(
    node,
    `reduction "${name}" is unknown, expected ${Object.keys(REDUCE).join(", ")}. Export the model again.`,
  );
}

export const reduceInto = (node: Node): ((old: number, update: number) => number) => REDUCE[nameOf(node)];

/** Whether the node adds (else it writes).
 * @throws DynnError 'gradient/none' when it does neither */
export function addsInto(node: Node): boolean {
  const name = nameOf(node);
  if (name === "none" || name === "add") return name === "add";
  throw noGradient(node, `reduction "${name}" has no gradient rule. Use "add" or "none"`);
}
