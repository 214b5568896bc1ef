/** @file Gradients that are adjusted layer by layer, where the network of a gate reads a value. The
 *  gradient through the gate and the one through all later blocks get length 1. The latter is
 *  multiplied by the number of later gates that the loss is about. The gradient loses its part
 *  against that of another loss. Source: Pan et al. 2023, "GradMDM", its published code
 *  (backwardNorm). */
import { gradientsGraph } from "../../autodiff/gradient.js";
import type { Gate } from "../../dynamic/model/model.js";
import type { GraphBuilder } from "../../graph/builder.js";
import { ancestors, type Graph, type Node, producers, type ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import type { OpDef, OpTable, VjpContext } from "../../graph/op.js";
import { withReads } from "../../graph/scopes.js";
import { reduceSum } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";

/** A node [x] -> [x for later blocks, x for networks of gates]. It exists only while gradients are
 * made. */
const TAP = { opType: "Tap", domain: "dynn.attacks" } as const;

const isTap = ({ domain }: Node): boolean => domain === TAP.domain;

/** The graph with a tap at each value that networks of gates and later blocks read. */
function tapped(graph: Graph, gates: readonly Gate[]): Graph {
  const made = producers(graph);
  const scores = new Set(gates.map(({ score }) => made.get(score)));
  const ungated = { ...graph, nodes: graph.nodes.filter((node) => !scores.has(node)) };
  const blocks = new Set(
    ancestors(
      ungated,
      graph.outputs.map(({ name }) => name),
    ),
  );
  const inGates = new Set(
    ancestors(
      graph,
      gates.map(({ score }) => score),
    ).filter((node) => !blocks.has(node)),
  );
  const image = graph.inputs[0].name;
  const isRead = (by: (node: Node) => boolean) => new Set(graph.nodes.filter(by).flatMap((node) => node.inputs));
  const [byGates, byBlocks] = [isRead((node) => inGates.has(node)), isRead((node) => blocks.has(node))];
  const at = (name: ValueName): boolean =>
    byGates.has(name) && byBlocks.has(name) && graph.types.get(name)?.shape.length === 4;
  const renamed = (node: Node): Node => {
    const side = inGates.has(node) ? "gate" : "block";
    return withReads(node, (name) => (at(name) ? `${name}/${side}` : name));
  };
  const tap = (name: ValueName): Node[] =>
    at(name)
      ? [{ ...TAP, name: `${name}/tap`, inputs: [name], outputs: [`${name}/block`, `${name}/gate`], attributes: {} }]
      : [];
  const nodes = [...tap(image), ...graph.nodes.flatMap((node) => [renamed(node), ...node.outputs.flatMap(tap)])];
  return { ...graph, nodes, types: new Map() };
}

/** The gradient graph of a loss, adjusted against another one.
 * @param graph the forward graph with both losses, with inferred types
 * @param losses `against` is the loss that keeps open gates open. Both are ascended
 * @param request as in {@link gradientsGraph} */
export function adjustedGradient(
  graph: Graph,
  gates: readonly Gate[],
  losses: { readonly loss: ValueName; readonly against: ValueName; readonly gradient: ValueName },
  request: Parameters<typeof gradientsGraph>[3],
): Graph {
  const table = tableOf(graph, gates);
  const forward = inferShapes(tapped(graph, gates), table);
  const both = [
    { loss: losses.against, names: [`${losses.gradient}/against`] },
    { loss: losses.loss, names: [losses.gradient] },
  ];
  const made = gradientsGraph(forward, table, both, request);
  const nodes = made.nodes.flatMap((node) => (isTap(node) ? copiesOf(node) : [node]));
  return inferShapes({ ...made, nodes, types: new Map() }, opTable);
}

const copiesOf = ({ inputs, outputs }: Node): Node[] =>
  outputs.map((output) => ({ opType: "Identity", domain: "", name: "", inputs, outputs: [output], attributes: {} }));

/** The operators with the tap. Its rule runs for `against` first, and then for the loss. */
function tableOf(graph: Graph, gates: readonly Gate[]): OpTable {
  const kept = new Map<string, ValueName>();
  const tap: OpDef = {
    type: TAP.opType,
    infer: ({ inputs }) => [inputs[0], inputs[0]] as never,
    run: ([x]) => [x, x] as never,
    vjp: (ctx) => {
      const [x] = ctx.node.inputs as [ValueName];
      const before = kept.get(x);
      const later = behind(graph, gates, x);
      const found = adjusted(ctx, later, before === undefined ? "closed" : "open");
      if (before === undefined) kept.set(x, found);
      return [before === undefined ? found : withoutConflict(ctx.b, found, before)];
    },
  };
  return { has: (node) => isTap(node) || opTable.has(node), get: (node) => (isTap(node) ? tap : opTable.get(node)) };
}

/** The gates whose scores depend on a value. */
function behind(graph: Graph, gates: readonly Gate[], value: ValueName): Gate[] {
  const maker = producers(graph).get(value);
  return gates.filter(({ score }) => maker === undefined || ancestors(graph, [score]).includes(maker));
}

/** Both gradients at length 1, the one through blocks times the number of later gates that are
 * closed or open. */
function adjusted(
  { b, grads: [block, gate] }: VjpContext,
  gates: readonly Gate[],
  counted: "closed" | "open",
): ValueName {
  const open = gates.map(({ value }) => value).reduce((a, v) => b.op("Add", [a, v]));
  const number = counted === "open" ? open : b.op("Sub", [b.scalar(gates.length), open]);
  const parts = [
    ...(block === undefined ? [] : [b.op("Mul", [ofLengthOne(b, block), number])]),
    ...(gate === undefined ? [] : [ofLengthOne(b, gate)]),
  ];
  return parts.reduce((a, v) => b.op("Add", [a, v]));
}

const PIXELS = [1, 2, 3];
const dot = (b: GraphBuilder, x: ValueName, y: ValueName): ValueName => reduceSum(b, b.op("Mul", [x, y]), PIXELS, true);

/** Keeps a division by a length of 0 finite. */
const TINY = 2 ** -100;

const ofLengthOne = (b: GraphBuilder, x: ValueName): ValueName =>
  b.op("Div", [x, b.op("Max", [b.op("Sqrt", [dot(b, x, x)]), b.scalar(TINY)])]);

/** A gradient without its part against another one. */
function withoutConflict(b: GraphBuilder, gradient: ValueName, other: ValueName): ValueName {
  const direction = ofLengthOne(b, other);
  const conflict = b.op("Min", [dot(b, gradient, direction), b.scalar(0)]);
  return b.op("Sub", [gradient, b.op("Mul", [conflict, direction])]);
}
