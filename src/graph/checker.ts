/** @file Checks that a graph is well formed: one node produces each value, before any node reads
 *  it. A sub-graph can read the names of the graphs around it, and can hide them with its own.
 *  Source: ONNX IR specification, "Graphs" and "Names within a graph". */
import { DynnError } from "../core/errors.js";
import { showNode } from "./attributes.js";
import { type Graph, type Node, reads, subgraphs, usedInputs, type ValueName } from "./graph.js";
import { GRAPH_LIMITS, tooLarge } from "./limits.js";
import type { OpTable } from "./op.js";

/** Checks a graph and its sub-graphs. With `ops`, it also checks that every operator is known.
 * @throws DynnError 'model/empty', 'model/duplicate', 'model/dangling', 'model/cycle',
 *   'model/order', 'model/op', 'model/limit' */
export function checkGraph(graph: Graph, ops?: OpTable): void {
  if (graph.nodes.length === 0)
    throw new DynnError("model/empty", `${showGraph(graph)}: it has no nodes. Export the model again.`, {
      graph: graph.name,
    });
  checkScope(graph, [], ops);
}

/** Nodes in topological order. A node moves only when it comes before a node that it reads from.
 * @throws DynnError 'model/cycle' */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const maker = new Map<ValueName, number>();
  nodes.forEach((node, i) => {
    for (const name of node.outputs) if (name && !maker.has(name)) maker.set(name, i);
  });
  const state = new Uint8Array(nodes.length); // 0: not visited, 1: waits for its inputs, 2: placed
  const sorted: Node[] = [];
  const stack: number[] = [];
  for (let root = 0; root < nodes.length; root++) {
    stack.push(root);
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      const node = nodes[at];
      if (state[at] !== 0) {
        stack.pop();
        if (state[at] === 1) sorted.push(node);
        state[at] = 2;
        continue;
      }
      state[at] = 1;
      for (const name of reads(node).reverse()) {
        const needed = maker.get(name);
        if (needed === undefined || state[needed] === 2) continue;
        if (state[needed] === 1) throw cycle(node, name);
        stack.push(needed);
      }
    }
  }
  return sorted;
}

/** The names that a graph may read: its own so far, and the names of the graphs around it. */
type Scope = readonly ReadonlySet<ValueName>[];

const sees = (scope: Scope, name: ValueName): boolean => scope.some((names) => names.has(name));

function checkScope(graph: Graph, outer: Scope, ops: OpTable | undefined): void {
  const own = new Set<ValueName>();
  const scope = [...outer, own];
  const declare = (name: ValueName, what: string) => {
    if (name.length > GRAPH_LIMITS.name)
      throw tooLarge(showGraph(graph), `a name has ${name.length} characters`, String(GRAPH_LIMITS.name));
    if (own.has(name))
      throw new DynnError(
        "model/duplicate",
        `${what}: the name "${name}" is already taken in ${showGraph(graph)}. Give every value its own name.`,
        { name, graph: graph.name },
      );
    own.add(name);
  };
  for (const { name } of graph.inputs) declare(name, `input "${name}"`);
  for (const name of graph.initializers.keys()) declare(name, `initializer "${name}"`);
  for (const node of graph.nodes) {
    ops?.get(node);
    checkSize(node);
    for (const name of usedInputs(node)) if (!sees(scope, name)) throw unmade(graph, node, name);
    for (const inner of subgraphs(node)) checkScope(inner, scope, ops);
    for (const name of node.outputs) if (name) declare(name, showNode(node));
  }
  checkOutputs(graph, scope);
}

function checkSize(node: Node): void {
  const count = Math.max(node.inputs.length, node.outputs.length);
  if (count > GRAPH_LIMITS.nodeValues)
    throw tooLarge(showNode(node), `it has ${count} inputs or outputs`, String(GRAPH_LIMITS.nodeValues));
}

function checkOutputs(graph: Graph, scope: Scope): void {
  if (graph.outputs.length === 0)
    throw new DynnError("model/empty", `${showGraph(graph)}: it has no outputs. Export the model again.`, {
      graph: graph.name,
    });
  const seen = new Set<ValueName>();
  for (const { name } of graph.outputs) {
    if (seen.has(name))
      throw new DynnError(
        "model/duplicate",
        `output "${name}": ${showGraph(graph)} lists it twice. List every output once.`,
        { name, graph: graph.name },
      );
    if (!sees(scope, name))
      throw new DynnError(
        "model/dangling",
        `output "${name}": nothing in ${showGraph(graph)} makes it. Export the model again.`,
        { name, graph: graph.name },
      );
    seen.add(name);
  }
}

/** The reason why a node's input is missing: a later node makes it, or no node does. With a
 * later node, the graph has a cycle or a wrong order. */
function unmade(graph: Graph, node: Node, name: ValueName): DynnError {
  const detail = { name, node: node.name, graph: graph.name };
  const later = graph.nodes.find((other) => other.outputs.includes(name));
  if (!later)
    return new DynnError(
      "model/dangling",
      `${showNode(node)}: nothing makes its input "${name}". Export the model again.`,
      detail,
    );
  sortNodes(graph.nodes); // throws when the reason is a cycle
  return new DynnError(
    "model/order",
    `${showNode(node)}: it reads "${name}" before ${showNode(later)} makes it. Sort the nodes with sortNodes.`,
    detail,
  );
}

const cycle = (node: Node, name: ValueName): DynnError =>
  new DynnError(
    "model/cycle",
    `${showNode(node)}: its input "${name}" depends on its own output. Export the model without the loop.`,
    { name, node: node.name },
  );

const showGraph = (graph: Graph): string => `graph "${graph.name}"`;
