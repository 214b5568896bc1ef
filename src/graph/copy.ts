/** @file Copies the part of a graph that depends on some values, with other values in their
 *  place. */
import type { GraphBuilder } from "./builder.js";
import { type Graph, reads, type ValueName } from "./graph.js";
import { withReads } from "./scopes.js";

/** Appends the copy. What does not depend on a replaced value is shared.
 * @param b a builder made from `graph`
 * @param instead makes what stands in place of a value. It reads values of the copy through `of`
 * @returns the name in the copy of each value of the graph
 * @example
 * const of = copyWith(b, graph, new Map([["gate", () => one]]));
 * const open = of("logits"); */
export function copyWith(
  b: GraphBuilder,
  graph: Graph,
  instead: ReadonlyMap<ValueName, (of: (name: ValueName) => ValueName) => ValueName>,
): (name: ValueName) => ValueName {
  const copies = new Map<ValueName, ValueName>();
  const of = (name: ValueName): ValueName => copies.get(name) ?? name;
  for (const node of graph.nodes) {
    const [first] = node.outputs as [ValueName];
    const other = instead.get(first);
    if (other) copies.set(first, other(of));
    else if (reads(node).some((name) => copies.has(name))) {
      const outputs = node.outputs.map((name) => (name === "" ? "" : b.fresh(`${name}/copy`)));
      node.outputs.forEach((name, i) => {
        if (name !== "") copies.set(name, outputs[i]);
      });
      b.append({ ...withReads(node, of), name: "", outputs });
    }
  }
  return of;
}
