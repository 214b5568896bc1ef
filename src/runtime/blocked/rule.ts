/** @file The type of a rewrite rule, and the checks that all rules share. */
import type { Node, ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";

/** Tries to make a node's output in blocked layout. False leaves the node plain. */
export type Rule = (l: Layout, node: Node) => boolean;

export const isScalar = (l: Layout, name: ValueName): boolean => l.shape(name).every((d) => d === 1);

/** Whether a value holds one number for each sample of a batch: [n, 1, 1, 1]. Memory of images has
 * the samples outermost in both layouts. */
export function isPerSample(l: Layout, name: ValueName, images: ValueName): boolean {
  const [samples, ...rest] = l.shape(name);
  return rest.length === 3 && rest.every((d) => d === 1) && samples === l.shape(images)[0];
}

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
