/** @file Reads the gates that the metadata of a file state. The graph decides what each gate saves,
 *  so a wrong file cannot lie. A gate is refused where closing it would not save its branch, or
 *  where skipping its branch could change the answer. */
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { fromNumbers, toNumbers } from "../../core/tensor.js";
import { showNode } from "../../graph/attributes.js";
import { macsOf } from "../../graph/cost.js";
import {
  ancestors,
  batchOf,
  consumers,
  type Graph,
  type Node,
  producers,
  subgraphs,
  type ValueName,
} from "../../graph/graph.js";
import { foldConstants } from "../../graph/passes/fold-constants.js";
import { prune } from "../../graph/passes/prune.js";
import { simplify } from "../../graph/passes/simplify.js";
import { opTable } from "../../ops/table.js";
import type { ModelMetadata } from "../../schema/metadata.js";
import type { Gate } from "./units.js";

/** Gates as the metadata state them. */
export type StatedGates = NonNullable<ModelMetadata["gates"]>;
type StatedGate = StatedGates[number];

/** The values of gates. They keep their names while the graph is simplified. */
export const gateValues = (gates: StatedGates): ValueName[] => [
  ...new Set(gates.flatMap(({ score, value, branch }) => [score, value, branch])),
];

/** The graph in a simpler form. Its outputs stay, and these values keep their names. */
export function simplifyKeeping(graph: Graph, kept: readonly ValueName[]): Graph {
  const extra = kept.filter((name) => graph.outputs.every((output) => output.name !== name));
  const outputs = extra.map((name) => ({ name, dtype: "float32" as const, shape: undefined }));
  const simple = simplify({ ...graph, outputs: [...graph.outputs, ...outputs] }, opTable);
  return { ...simple, outputs: simple.outputs.slice(0, graph.outputs.length) };
}

/** Refuses names that the file does not hold, before anything else is read.
 * @throws DynnError 'model/gates' */
export function checkGateNames(graph: Graph, gates: StatedGates, where: string): void {
  const own = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const gate of gates)
    for (const role of ["score", "value", "branch"] as const) {
      if (own.has(gate[role])) continue;
      const holder = graph.nodes.find((node) => subgraphs(node).some((inner) => madeIn(inner, gate[role])));
      throw holder
        ? refused(where, gate, `its ${role} "${gate[role]}" lies inside ${showNode(holder)}`, OUTSIDE)
        : refused(where, gate, `no node of the graph makes its ${role} "${gate[role]}"`, NAMES);
    }
}

const madeIn = (graph: Graph, name: ValueName): boolean =>
  graph.nodes.some((node) => node.outputs.includes(name) || subgraphs(node).some((inner) => madeIn(inner, name)));

/** The gates of a graph, with what each saves.
 * @param graph simplified, with inferred types
 * @param exits the logits of the exits, in order
 * @param costs MACs of every node
 * @throws DynnError 'model/gates' */
export function readGates(
  graph: Graph,
  gates: StatedGates,
  { exits, costs, where }: { exits: readonly ValueName[]; costs: ReadonlyMap<Node, number>; where: string },
): Gate[] {
  const full = macsOf(graph, exits, costs);
  const within = gates.map((gate) => checked(graph, gate, exits, where));
  checkApart(gates, within, where);
  return gates.map((gate, k) => {
    const macs = [...within[k]].reduce((sum, node) => sum + (costs.get(node) ?? 0), 0);
    const exit = exits.findIndex((logits) => ancestors(graph, [logits]).some((n) => n.outputs.includes(gate.value)));
    return { ...gate, macs, costFraction: full > 0 ? macs / full : 0, exit, threshold: 0 };
  });
}

/** The node that multiplies the branch by the value. */
export const gateProduct = (graph: Graph, { branch, value }: Pick<Gate, "branch" | "value">): Node | undefined =>
  graph.nodes.find(
    ({ opType, inputs }) => opType === "Mul" && branch !== value && inputs.includes(branch) && inputs.includes(value),
  );

/** The nodes that a closed gate saves: their results reach the wanted values only through the
 * branch. */
export function branchNodes(graph: Graph, { branch }: Pick<Gate, "branch">, wanted: readonly ValueName[]): Set<Node> {
  const producer = producers(graph).get(branch);
  const without = { ...graph, nodes: graph.nodes.filter((node) => node !== producer) };
  const kept = new Set(ancestors(without, wanted));
  return new Set(ancestors(graph, wanted).filter((node) => !kept.has(node)));
}

/** The nodes of one gate's branch.
 * @throws DynnError 'model/gates' */
function checked(graph: Graph, gate: StatedGate, exits: readonly ValueName[], where: string): Set<Node> {
  checkShapes(graph, gate, where);
  const readers = consumers(graph).get(gate.branch) ?? [];
  const product = gateProduct(graph, gate);
  if (product === undefined) throw refused(where, gate, `no Mul takes its branch "${gate.branch}" and its value`, FORM);
  if (dependsOn(graph, gate.score, gate.branch))
    throw refused(where, gate, `its score "${gate.score}" depends on its own branch`, SCORE);
  const other = readers.find((node) => node !== product);
  if (other || exits.includes(gate.branch))
    throw refused(
      where,
      gate,
      `its branch "${gate.branch}" has another reader, ${other ? showNode(other) : "an exit"}`,
      READER,
    );
  if (!ancestors(graph, exits).includes(product)) throw refused(where, gate, "no exit depends on it", NAMES);
  const within = branchNodes(graph, gate, exits);
  checkValue(graph, gate, where);
  return within;
}

const dependsOn = (graph: Graph, value: ValueName, on: ValueName): boolean =>
  ancestors(graph, [value]).some((node) => node.outputs.includes(on));

/** @throws DynnError 'model/gates' */
function checkShapes(graph: Graph, gate: StatedGate, where: string): void {
  const batch = batchOf(graph) ?? "n";
  const wanted = { score: [batch], value: [batch, 1, 1, 1] };
  for (const role of ["score", "value"] as const) {
    const type = graph.types.get(gate[role]);
    if (type?.dtype === "float32" && showShape(type.shape) === showShape(wanted[role])) continue;
    const got = type ? `${type.dtype}${showShape(type.shape)}` : "of unknown type";
    const what = `its ${role} "${gate[role]}" is ${got}, expected float32${showShape(wanted[role])}`;
    throw refused(where, gate, what, FORM);
  }
}

/** Scores at which the value is computed: both signs of zero are open. */
const PROBES = [-1e9, -1, -1e-30, -0, 0, 1e-30, 1, 1e9];

/** The value must follow from the score alone: 1 where the score is at least 0, and else 0.
 * @throws DynnError 'model/gates' */
function checkValue(graph: Graph, gate: StatedGate, where: string): void {
  for (const score of PROBES) {
    const found = valueAt(graph, gate, score);
    if (found === undefined)
      throw refused(where, gate, `its value "${gate.value}" depends on more than its score "${gate.score}"`, FORM);
    const open = score >= 0 ? 1 : 0;
    if (found.length !== 1 || found[0] !== open)
      throw refused(where, gate, `its value is ${found.join(", ")} at the score ${score}, expected ${open}`, FORM);
  }
}

/** The value of a gate at one score, if nothing else decides it. */
function valueAt(graph: Graph, { score, value }: StatedGate, at: number): readonly number[] | undefined {
  const maker = producers(graph).get(score);
  const info = { name: "gate value", dtype: "float32" as const, shape: undefined };
  const end = { opType: "Identity", domain: "", name: "", inputs: [value], outputs: [info.name], attributes: {} };
  const cut = prune({
    ...graph,
    nodes: [...graph.nodes.filter((node) => node !== maker), end],
    initializers: new Map([...graph.initializers, [score, fromNumbers("float32", [1], [at])]]),
    outputs: [info],
    types: new Map(),
  });
  const constant = foldConstants(cut, opTable).initializers.get(value);
  return constant && Array.from(toNumbers(constant), (v) => v);
}

/** @throws DynnError 'model/gates' when two gates share a branch, or one lies in the other's */
function checkApart(gates: StatedGates, within: readonly ReadonlySet<Node>[], where: string): void {
  for (const [k, gate] of gates.entries()) {
    const outer = within.findIndex((nodes, j) => j !== k && [...within[k]].some((node) => nodes.has(node)));
    if (outer >= 0)
      throw refused(
        where,
        gate,
        `its branch and that of "${gates[outer].name}" share nodes`,
        "Give each gate a branch of its own.",
      );
  }
}

const NAMES = "Name values of the graph in dynn.gates, or write the model again with dynn.";
const OUTSIDE = "Unroll the loop, or export the model in the masked form, in which every branch runs.";
const READER = "Let only the gate's Mul read the branch, or gate the value that the other reader takes too.";
const SCORE = "Compute the score from values before the block.";
const FORM =
  "The masked form is Mul(branch, value) with value = Reshape(Cast(GreaterOrEqual(score, 0)), [-1,1,1,1]) and a score [n].";

const refused = (where: string, { name }: StatedGate, what: string, advice: string): DynnError =>
  new DynnError("model/gates", `${where}: gate "${name}": ${what}. ${advice}`, { gate: name });
