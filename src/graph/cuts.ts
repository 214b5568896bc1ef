/** @file Legal cuts: the values that separate everything before them from everything after them.
 *  Graph theory calls them articulation points. */
import { ancestors, descendants, type Graph, type ValueName } from "./graph.js";

/** Values on every path from `source` to `target`, in order, without the two ends. Every other
 * node of a path is before or after such a value. So in any topological order it is the only
 * live value once it is made, and one sweep finds all of them. */
export function findCuts(graph: Graph, source: ValueName, target: ValueName): ValueName[] {
  const reached = descendants(graph, [source]);
  const nodes = ancestors(graph, [target]).filter((node) => node.outputs.some((name) => reached.has(name)));
  const lastUse = new Map<ValueName, number>();
  nodes.forEach((node, i) => {
    for (const name of node.inputs) if (reached.has(name)) lastUse.set(name, i);
  });
  const cuts: ValueName[] = [];
  const alive = new Set<ValueName>([source]);
  nodes.forEach((node, i) => {
    for (const name of node.inputs) if (lastUse.get(name) === i) alive.delete(name);
    for (const name of node.outputs) if (name && (lastUse.has(name) || name === target)) alive.add(name);
    const [only] = alive;
    if (alive.size === 1 && only !== undefined && only !== target && only !== source && cuts.at(-1) !== only)
      cuts.push(only);
  });
  return cuts;
}
