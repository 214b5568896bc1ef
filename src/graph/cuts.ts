/** @file Legal cuts: values that separate everything before from everything after (articulation values of the graph). */
import { ancestors, descendants, type Graph, type ValueName } from "./graph.js";

/** Values through which every path from `source` to `target` passes, in order; neither end is listed.
 *  If a value lies on all paths, every other node of a path is before or after it, so in any topological order it is the
 *  only value alive once it is made: one sweep finds them all. */
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
