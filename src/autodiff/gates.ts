/** @file Surrogates for hard gates. A hard gate is 0 or 1, so its score gets no gradient. A
 *  surrogate gives the score the gradient of a sigmoid. Sources: Bengio et al. 2013
 *  (straight-through); Tao et al. 2022 (three ways to differentiate networks that skip blocks). */
import { GraphBuilder } from "../graph/builder.js";
import type { Graph, Node, ValueName } from "../graph/graph.js";

/** A gate of a graph: a block runs for the samples whose score reaches the threshold. */
export interface HardGate {
  /** The scores, float32 [n]. */
  readonly score: ValueName;
  /** 1 for samples whose block runs and 0 for the others, float32 [n,1,1,1]. */
  readonly value: ValueName;
  /** The score from which on a gate is open. Undefined: 0. */
  readonly threshold?: number | undefined;
}

/** The names of the surrogates. */
export const SURROGATES = ["hard", "straight-through", "soft"] as const;

/** How a gradient passes a gate. hard: not at all, the value is a constant. straight-through: the
 * value is 0 or 1, and its gradient is the gradient of sigmoid(slope * (score - threshold)). soft:
 * the value is that sigmoid. */
export interface Surrogate {
  readonly kind: (typeof SURROGATES)[number];
  /** Steepness of the sigmoid. Undefined: 1. */
  readonly slope?: number | undefined;
}

/** A graph whose gates have surrogates. */
export interface SurrogateGraph {
  /** The graph. The values of the gates keep their names. */
  readonly graph: Graph;
  /** Values that count as constants of the gradient. */
  readonly constants: ReadonlySet<ValueName>;
}

/** Replaces the gates of a graph by surrogates. With `straight-through`, answers keep their bits:
 * soft + (hard - soft) is exactly 0 or 1 in floating point, because hard - soft is exact.
 * @example
 * const { graph, constants } = withSurrogates(source, gates, { kind: "straight-through" });
 * appendVjp(b, inferShapes(graph, opTable), opTable, { seeds, wrt, constants }); */
export function withSurrogates(
  graph: Graph,
  gates: readonly HardGate[],
  { kind, slope = 1 }: Surrogate,
): SurrogateGraph {
  const constants = new Set<ValueName>();
  if (kind === "hard") return { graph, constants };
  const b = new GraphBuilder({ ...graph, nodes: [] });
  for (const name of graph.nodes.flatMap((node) => node.outputs)) b.reserve(name);
  const known = new Map(gates.map((gate) => [gate.value, gate]));
  for (const node of graph.nodes) {
    const gate = known.get(node.outputs[0]);
    if (gate && kind === "soft") give(b, gate.value, "Identity", [softValue(b, gate, slope)]);
    else if (gate) constants.add(straightThrough(b, node, gate, slope));
    else b.append(node);
  }
  return { graph: b.build(), constants };
}

/** Appends soft + (hard - soft) as the value of the gate.
 * @returns hard - soft */
function straightThrough(b: GraphBuilder, node: Node, gate: HardGate, slope: number): ValueName {
  const hard = b.fresh(`${gate.value}.hard`);
  b.append({ ...node, outputs: [hard] });
  const soft = softValue(b, gate, slope);
  const rest = b.op("Sub", [hard, soft], {}, `${gate.value}.rest`);
  give(b, gate.value, "Add", [soft, rest]);
  return rest;
}

const give = (b: GraphBuilder, output: ValueName, opType: string, inputs: readonly ValueName[]): void =>
  b.append({ opType, domain: "", name: "", inputs, outputs: [output], attributes: {} });

/** Appends sigmoid(slope * (score - threshold)), [n,1,1,1]. */
export function softValue(b: GraphBuilder, { score, threshold = 0, value }: HardGate, slope: number): ValueName {
  const from = threshold === 0 ? score : b.op("Sub", [score, b.scalar(threshold)]);
  const scaled = slope === 1 ? from : b.op("Mul", [from, b.scalar(slope)]);
  const soft = b.op("Sigmoid", [scaled], {}, `${value}.soft`);
  return b.op("Reshape", [soft, b.ints([-1, 1, 1, 1])]);
}
