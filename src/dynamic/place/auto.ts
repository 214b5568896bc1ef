/** @file How many exits, and where: chosen from cost alone, counted or measured, before anything is trained.
 *  With fraction f of the backbone's cost in front of an exit and a head that costs h, an image that leaves there saves 1 - f - h of the
 *  network, and one that goes on pays h more. So the head pays as soon as a share h / (1 - f) of the images leaves. */

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

/** Exits at most: as many as Kaya et al. 2019 use; more of them answer alike. */
const MOST = 6;
/** Share of the cost that an image must save by leaving. */
const LEAST_SAVING = 0.05;
/** A head must pay when this share of the images leaves, and all heads together may cost as much. */
const HEADS_SHARE = 0.1;
/** Neighbours stand at least this part of an even distance apart. */
const LEAST_GAP = 0.5;

/** A place with the head that would stand there. */
export interface Candidate extends ExitPlace {
  /** undefined where no head reads the feature, or not the one that was chosen. */
  readonly head: HeadName | undefined;
  /** Cost of the head as a share of the backbone's. */
  readonly headFraction: number;
  /** Why no exit is worth its cost here; undefined where one is. */
  readonly unfit: string | undefined;
}

/** Every place, and what a head there would cost.
 * @param chosen   the head; left out: by the feature's rank
 * @param named    cuts that come before others of their cost
 * @param measured the cost of places and heads; left out: counted */
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

/** The candidates that exits are worth their cost at, spread evenly over the cost: as many as stand apart, 6 at most.
 * @throws DynnError 'model/cut' when there is none */
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
