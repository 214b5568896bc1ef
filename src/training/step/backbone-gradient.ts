/** @file Scales the gradient that heads of early exits send into the backbone. The factor 0 trains
 *  heads as ic-only does, and 1 trains them jointly. Values of the forward pass keep their bits.
 *  Source: docs/method.md section 2. */
import { GraphBuilder } from "../../graph/builder.js";
import { ancestors, type Graph, type Node, type ValueName } from "../../graph/graph.js";

/** A graph whose heads send a scaled gradient. */
export interface ScaledBackbone {
  readonly graph: Graph;
  /** Copies of backbone values. No gradient may pass through them. */
  readonly constants: ReadonlySet<ValueName>;
}

/** Puts `c + factor * (v - c)` in front of each head that reads a value v of the backbone. c is a
 * copy of v that counts as a constant. The sum equals v, and its gradient is `factor`.
 * @param logits logits of the exits, the final one last
 * @param factor from 0 to 1 */
export function scaleBackboneGradient(graph: Graph, logits: readonly ValueName[], factor: number): ScaledBackbone {
  const backbone = new Set<Node>(ancestors(graph, logits.slice(-1)));
  const made = new Set(graph.nodes.filter((node) => backbone.has(node)).flatMap((node) => node.outputs));
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const [scaled, constants] = [new Map<ValueName, ValueName>(), new Set<ValueName>()];
  const read = (value: ValueName): ValueName => {
    if (!made.has(value)) return value;
    const known = scaled.get(value);
    if (known !== undefined) return known;
    const copy = b.op("Identity", [value], {}, "backbone");
    const sum = b.op("Add", [copy, b.op("Mul", [b.op("Sub", [value, copy]), b.scalar(factor)])]);
    constants.add(copy);
    scaled.set(value, sum);
    return sum;
  };
  for (const node of graph.nodes)
    b.append(backbone.has(node) ? node : { ...node, inputs: node.inputs.map((name) => (name ? read(name) : name)) });
  return { graph: b.build(), constants };
}
