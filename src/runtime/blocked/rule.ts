/** @file The type of a rewrite rule, and the checks that all rules share. */
import type { Node, ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";

/** Tries to make a node's output in blocked layout. False leaves the node plain. */
export type Rule = (l: Layout, node: Node) => boolean;

export const isScalar = (l: Layout, name: ValueName): boolean => l.shape(name).every((d) => d === 1);

export const equal = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Whether a value is blocked or can become blocked. Only floats can change their layout. */
export const isAtHand = (l: Layout, name: ValueName): boolean => l.isFloat(name) || l.isBlocked(name);

/** The node unchanged, on blocked images in place of plain ones. */
export function keepLayout(l: Layout, node: Node, images: readonly ValueName[]): void {
  const output = node.outputs[0];
  const made = l.b.fresh(`${output}.blocked`);
  const inputs = node.inputs.map((name) => (images.includes(name) ? l.blocked(name) : name && l.plain(name)));
  l.push({ ...node, inputs, outputs: [made] });
  l.madeBlocked(output, made);
}
