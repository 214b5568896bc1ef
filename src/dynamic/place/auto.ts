/** @file Chooses the number and the places of exits from cost alone, counted or measured, before
 *  training. Let f be the share of the backbone's cost in front of an exit, and h the cost of its
 *  head. An image that stops there saves 1 - f - h of the network. An image that goes on pays h
 *  more. So the head pays off when at least a share h / (1 - f) of the images stops. */

import { DynnError } from "../../core/errors.js";
import { present } from "../../core/present.js";
import { type Dims, isStatic, showShape } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import { macsOf, nodeMacs } from "../../graph/cost.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { emptyGraph } from "../../graph/op.js";
import { HEADS, type HeadName, headFor } from "../../nn/heads.js";
import { opTable } from "../../ops/table.js";
import { backboneOf } from "../model/exits.js";
import { type ExitPlace, type MeasuredPlaces, measuredAt, nearestPlaces, noPlace, placesOf } from "./places.js";

/** Largest number of exits: the number in Kaya et al. 2019. Answers of more exits hardly differ. */
const MOST = 6;
/** Share of the cost that an image must save when it stops. */
const LEAST_SAVING = 0.05;
/** A head must pay off when this share of the images stops. All heads together can cost at most
 * this share. */
const HEADS_SHARE = 0.1;
/** Smallest distance between neighbours, as a part of an even distance. */
const LEAST_GAP = 0.5;

/** A place, and the head that would be attached to it. */
export interface Candidate extends ExitPlace {
  /** Undefined when no head reads the feature, or when the chosen head does not. */
  readonly head: HeadName | undefined;
  /** Cost of the head as a share of the backbone's cost. */
  readonly headFraction: number;
  /** Why an exit is not worth its cost here. Undefined when it is worth its cost. */
  readonly unfit: string | undefined;
}

/** Every place, with the cost of a head there.
 * @param chosen the head. The default depends on the rank of the feature
 * @param named cuts that are preferred to others of the same cost
 * @param measured the measured cost of places and heads. The default is the counted cost */
export function candidatesOf(
  graph: Graph,
  chosen?: HeadName,
  named: readonly ValueName[] = [],
  measured?: MeasuredPlaces,
): Candidate[] {
  const backbone = backboneOf(graph);
  const logits = backbone.outputs[0];
  const classes = Number(logits?.shape?.at(-1));
  const full = macsOf(backbone, [present(logits, "the logits of the backbone").name], nodeMacs(backbone, opTable));
  const counted = (head: HeadName | undefined, { shape }: ExitPlace): number =>
    head === undefined ? 0 : headMacs(head, shape.slice(1) as Dims, classes, backbone.opset) / full;
  return placesOf(graph, named, measured).map((place) => {
    const head = headAt(place, chosen);
    const headFraction = measured ? measuredAt(measured, place.cut).headFraction : counted(head, place);
    const candidate = { ...place, head, headFraction };
    return { ...candidate, unfit: unfitness(candidate) };
  });
}

/** MACs of a head alone. */
function headMacs(head: HeadName, dims: Dims, classes: number, opset: number): number {
  const b = new GraphBuilder(emptyGraph("head", opset));
  const value = b.input("x", "float32", ["n", ...dims]);
  const logits = HEADS[head].head({ b, seed: 0, path: "head" }, { value, dims }, classes);
  const graph = b.build();
  return macsOf(graph, [logits], nodeMacs(graph, opTable));
}

function headAt({ shape }: ExitPlace, chosen: HeadName | undefined): HeadName | undefined {
  const dims = shape.slice(1);
  return isStatic(dims) ? headFor(dims, chosen) : undefined;
}

function unfitness({ shape, fraction, head, headFraction }: Omit<Candidate, "unfit">): string | undefined {
  if (head === undefined) return `no head reads ${showShape(shape)}`;
  const saving = 1 - fraction - headFraction;
  if (saving < LEAST_SAVING) return `leaving saves ${saving > 0 ? percent(saving) : "nothing"}`;
  const breakEven = headFraction / (1 - fraction);
  return breakEven > HEADS_SHARE ? `its head pays only when ${percent(breakEven)} leave` : undefined;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The candidates whose exits are worth their cost, spread evenly over the cost. As many as are far
 * enough apart, at most 6.
 * @throws DynnError 'model/cut' when no candidate is worth its cost */
export function spreadExits(graph: Graph, candidates: readonly Candidate[]): Candidate[] {
  const fit = candidates.filter(({ unfit }) => unfit === undefined);
  for (let count = Math.min(MOST, fit.length); count > 0; count--) {
    const even = 1 / (count + 1);
    const chosen = nearestPlaces(
      fit,
      Array.from({ length: count }, (_, i) => (i + 1) * even),
    );
    if (chosen && (count === 1 || standApart(chosen, even * LEAST_GAP))) return chosen;
  }
  throw candidates.length === 0 ? noPlace(graph) : noneFits(graph, candidates);
}

const standApart = (chosen: readonly Candidate[], least: number): boolean =>
  chosen.every(({ fraction }, i) => (chosen[i + 1]?.fraction ?? 1) - fraction >= least) &&
  chosen.reduce((sum, { headFraction }) => sum + headFraction, 0) <= HEADS_SHARE;

function noneFits({ name }: Graph, candidates: readonly Candidate[]): DynnError {
  const reasons = candidates.map(({ cut, unfit }) => `"${cut}": ${unfit}`);
  return new DynnError(
    "model/cut",
    `${name}: no early exit is worth its cost (${reasons.join("; ")}). Choose a smaller head, or name places yourself.`,
    { reasons, options: ["head", "exits"] },
  );
}
