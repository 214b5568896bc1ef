/** @file The operator at which the path of a gradient ends, for the error that names it. */
import { isFloat } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import { showNode } from "../graph/attributes.js";
import { descendants, type Graph, type Node, producers, type ValueName } from "../graph/graph.js";
import type { OpTable } from "../graph/op.js";
import type { Reversed } from "./active.js";

/** Which gradient does not exist. */
export interface MissingGradient {
  /** The values that were differentiated. */
  readonly of: readonly ValueName[];
  /** The value without a gradient. */
  readonly wrt: ValueName;
  readonly constants?: ReadonlySet<ValueName> | undefined;
  /** The error text when the graph has no path at all. */
  readonly apart: string;
}

/** The error for values whose gradient does not reach `wrt`. It names the operator at which the
 * path ends. If no path exists, it says so. */
export function independent(graph: Graph, ops: OpTable, reversed: Reversed, missing: MissingGradient): DynnError {
  const [end, ...more] = pathEnds(graph, reversed, missing);
  const what = `gradient of "${missing.of.join('", "')}"`;
  const detail = { loss: missing.of.join(), wrt: missing.wrt };
  if (!end) return new DynnError("gradient/none", missing.apart, detail);
  const others =
    more.length === 0 ? "" : ` ${more.length === 1 ? "One more path ends" : `${more.length} more paths end`} alike.`;
  return new DynnError(
    "gradient/none",
    `${what}: its path to "${missing.wrt}" ends at ${showNode(end)}: ${reasonOf(graph, ops, end)}.${others} Give a model without this operator, or audit this one with the attacks "none".`,
    { ...detail, opType: end.opType, node: end.name, options: ["attacks"] },
  );
}

/** Why no gradient passes through a node. */
function reasonOf(graph: Graph, ops: OpTable, node: Node): string {
  const { vjp } = ops.get(node);
  if (typeof vjp !== "function") return vjp.none;
  const dtype = graph.types.get(node.outputs[0])?.dtype ?? "float32";
  return isFloat(dtype)
    ? "its gradient is zero everywhere"
    : `its output is ${dtype}, and such numbers have no gradient`;
}

/** The nodes at which paths end, those next to the loss first. A path is followed back from the
 * loss to the first node that could pass a gradient on and does not. */
function pathEnds(graph: Graph, { grads, active }: Reversed, missing: MissingGradient): readonly Node[] {
  const makers = producers(graph);
  const onPath = descendants(graph, [missing.wrt]);
  const ends = new Set<Node>();
  const seen = new Set<ValueName>(missing.of);
  for (const value of seen) {
    const node = makers.get(value);
    // Sizes that are known do not depend on the elements.
    if (!node || missing.constants?.has(value) || graph.types.get(value)?.value) continue;
    const inputs = node.inputs.filter((name) => onPath.has(name));
    const isEnd =
      inputs.some((name) => active.has(name)) && !inputs.some((name) => active.has(name) && grads.has(name));
    if (isEnd) ends.add(node);
    else for (const name of inputs) seen.add(name);
  }
  return [...ends];
}
