/** @file Finds the places where an exit makes sense, or says why a network has none. Source:
 *  docs/method.md section 2. */

import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import type { Shape } from "../../core/shape.js";
import { counted } from "../../core/units.js";
import { showNode } from "../../graph/attributes.js";
import { macsOf, nodeMacs } from "../../graph/cost.js";
import { ancestors, descendants, type Graph, type Node, type ValueName } from "../../graph/graph.js";
import { opTable } from "../../ops/table.js";
import { backboneOf, cutsOf } from "../model/exits.js";

/** A place for an exit. */
export interface ExitPlace {
  /** The value that an exit reads there. */
  readonly cut: ValueName;
  /** Shape of the cut, with a named batch. */
  readonly shape: Shape;
  /** Cost from the input up to the cut, as a share of the cost of the whole backbone. In MACs, or
   * in time when it was measured. */
  readonly fraction: number;
}

/** Measured costs of places on one machine, used in place of counted costs. {@link measurePlaces}
 * makes them. They are plain data, which JSON keeps. */
export interface MeasuredPlaces {
  /** Images in one run. */
  readonly batch: number;
  /** The places with their measured cost. */
  readonly places: readonly MeasuredPlace[];
  /** Time of a slow run over that of a fast one. More than 1.5 is not to be trusted. */
  readonly roundSpread?: number | undefined;
}

/** The measured cost of one place on one machine. */
export interface MeasuredPlace {
  /** The value that an exit reads there. */
  readonly cut: ValueName;
  /** Time from the input up to the cut, as a share of the whole backbone's time. */
  readonly fraction: number;
  /** Time of the head, as a share of the whole backbone's time. 0 when no head reads the cut. */
  readonly headFraction: number;
}

/** The measured cost of a place.
 * @throws DynnError 'exits/value' when the place was not measured */
export function measuredAt({ places }: MeasuredPlaces, cut: ValueName): MeasuredPlace {
  const found = places.find((place) => place.cut === cut);
  if (found) return found;
  throw new DynnError(
    "exits/value",
    `no cost was measured at "${cut}", only at ${places.map((place) => `"${place.cut}"`).join(", ") || "no place"}. Measure the network that exits are placed in.`,
    { cut },
  );
}

/** Values of this rank or a larger one are images or lists of tokens. */
const STRUCTURED = 3;
const PREFERRED = STRUCTURED + 1;

/** Places in order, after the first node with a counted cost. Of cuts with the same cost, the place
 * is the last one that is an image or a list of tokens. This is the cut behind the activation, the
 * addition and the pooling. If none of them is an image or a list of tokens, the place is the last
 * cut.
 * @param preferred cuts that are preferred to others of the same cost
 * @param measured the cost in front of each place. The default is the counted cost. The choice of
 *  the places always uses the counted cost */
export function placesOf(graph: Graph, preferred: readonly ValueName[] = [], measured?: MeasuredPlaces): ExitPlace[] {
  const backbone = backboneOf(graph);
  const costs = nodeMacs(backbone, opTable);
  const full = macsOf(backbone, [present(backbone.outputs.at(0), "the logits of the backbone").name], costs);
  const byCost = new Map<number, ExitPlace & { readonly rank: number }>();
  for (const cut of cutsOf(backbone)) {
    const shape = backbone.types.get(cut)?.shape ?? [];
    const fraction = macsOf(backbone, [cut], costs) / full;
    const rank = preferred.includes(cut) ? PREFERRED : Math.min(shape.length, STRUCTURED);
    const before = byCost.get(fraction);
    if (fraction > 0 && fraction < 1 && rank >= (before?.rank ?? 0))
      byCost.set(fraction, { cut, shape, fraction, rank });
  }
  return [...byCost.values()].map(({ cut, shape, fraction }) => ({
    cut,
    shape,
    fraction: measured ? measuredAt(measured, cut).fraction : fraction,
  }));
}

/** The nearest place for each share of the cost. Each place is behind the place before.
 * @param fractions rising, each between 0 and 1
 * @returns undefined when there are fewer places */
export function nearestPlaces<P extends ExitPlace>(
  places: readonly P[],
  fractions: readonly number[],
): P[] | undefined {
  if (fractions.length > places.length) return undefined;
  let next = 0;
  return fractions.map((wanted, i) => {
    const spare = places.length - (fractions.length - i - 1);
    const distance = (at: number) => Math.abs(places[at].fraction - wanted);
    let nearest = next;
    for (let at = next + 1; at < spare; at++) if (distance(at) < distance(nearest)) nearest = at;
    next = nearest + 1;
    return places[nearest];
  });
}

/** The error for a network that has no place for an exit. */
export function noPlace(graph: Graph): DynnError {
  const backbone = backboneOf(graph);
  const [from, to] = [
    present(backbone.inputs.at(0), "the input of the backbone").name,
    present(backbone.outputs.at(0), "the logits of the backbone").name,
  ];
  const { branch, join } = branchOf(backbone, from, to);
  const why =
    branch === undefined
      ? `all of its counted work is done by one node, with nothing between "${from}" and "${to}" to read`
      : `no value in between carries all the work alone: ${branch}, and the branches meet only in ${join}`;
  return new DynnError(
    "model/cut",
    `${graph.name}: has no place for an early exit: ${why}. An exit needs a value that all later work passes through. Take a network whose branches meet earlier, or export one with an exit of its own as a second output [n,classes], which dynn reads as an exit.`,
    { branch, join },
  );
}

/** Where the paths from one value to another part, and the last node in which they meet. */
function branchOf(
  graph: Graph,
  from: ValueName,
  to: ValueName,
): { readonly branch: string | undefined; readonly join: string | undefined } {
  const reached = descendants(graph, [from]);
  const nodes = ancestors(graph, [to]).filter((node) => node.outputs.some((name) => reached.has(name)));
  const used = new Set([to, ...nodes.flatMap((node) => node.inputs)]);
  const join = nodes.findLast((node) => new Set(node.inputs.filter((name) => reached.has(name))).size > 1);
  for (let at: ValueName | undefined = from; at !== undefined && at !== to; ) {
    const value: ValueName = at;
    const readers: Node[] = nodes.filter((node) => node.inputs.includes(value));
    const outputs: readonly ValueName[] = readers[0]?.outputs.filter((name) => used.has(name)) ?? [];
    if (readers.length > 1)
      return { branch: `"${value}" goes to ${readers.map(showNode).join(", ")}`, join: shown(join) };
    if (outputs.length > 1)
      return { branch: `${shown(readers[0])} has ${counted(outputs.length, "result")}`, join: shown(join) };
    at = outputs[0];
  }
  return { branch: undefined, join: undefined };
}

const shown = (node: Node | undefined): string | undefined => node && showNode(node);
