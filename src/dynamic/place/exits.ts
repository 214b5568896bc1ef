/** @file Chooses the places of exits: by cost, near given shares of the cost, or at named values.
 *  Cost is counted or measured. Source: docs/method.md section 2. */

import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import type { HeadName } from "../../nn/heads.js";
import { candidatesOf, spreadExits } from "./auto.js";
import { type MeasuredPlaces, nearestPlaces, noPlace, placesOf } from "./places.js";

/** Where a user wants exits. */
export type ExitSpec =
  | { readonly kind: "none" }
  | { readonly kind: "auto" }
  | { readonly kind: "every" }
  | { readonly kind: "fractions"; readonly fractions: readonly number[] }
  | { readonly kind: "values"; readonly values: readonly ValueName[] };

/** Read "none", "auto", "every", percentages of the cost ("15,30,45"), or names of values
 * ("stage1.block0.out,stage2.block3.out").
 * @throws DynnError 'cli/value' when percentages do not rise between 0 and 100, or an entry is
 *  empty */
export function parseExits(text: string): ExitSpec {
  const word = (["none", "auto", "every"] as const).find((kind) => kind === text.trim());
  if (word) return { kind: word };
  const entries = text.split(",").map((entry) => entry.trim());
  const percents = entries.map((entry) => Number(entry.replace(/%$/, "")));
  const advice = "Write auto, none, every, percentages of the cost (15,30,45,60,75,90), or names of values.";
  if (entries.includes(""))
    throw new DynnError("cli/value", `exits: "${text}" has an empty entry. ${advice}`, { text });
  if (percents.some(Number.isNaN)) return { kind: "values", values: entries };
  if (percents.some((p, i) => !(p > (percents[i - 1] ?? 0) && p < 100)))
    throw new DynnError("cli/value", `exits: "${text}" does not rise between 0 and 100. ${advice}`, { text });
  return { kind: "fractions", fractions: percents.map((p) => p / 100) };
}

/** The cuts that a spec selects.
 * @param head the head to attach. The default depends on the rank of the feature
 * @param measured the measured cost of places and heads. The default is the counted cost
 * @throws DynnError 'exits/value' when the network has fewer places
 * @throws DynnError 'model/cut' when the network does not have a place, or no exit is worth its
 *  cost */
export function cutsFor(
  graph: Graph,
  spec: ExitSpec,
  head?: HeadName,
  measured?: MeasuredPlaces,
): readonly ValueName[] {
  switch (spec.kind) {
    case "none":
      return [];
    case "values":
      return spec.values;
    case "fractions":
      return placeExits(graph, spec.fractions, measured);
    case "every":
      return everyPlace(graph, head, measured);
    case "auto":
      return spreadExits(graph, candidatesOf(graph, head, [], measured)).map(({ cut }) => cut);
  }
}

/** Every place that a head can read.
 * @throws DynnError 'model/cut' when there is none */
function everyPlace(graph: Graph, head: HeadName | undefined, measured: MeasuredPlaces | undefined): ValueName[] {
  const readable = candidatesOf(graph, head, [], measured).filter((candidate) => candidate.head !== undefined);
  if (readable.length === 0) throw noPlace(graph);
  return readable.map(({ cut }) => cut);
}

/** The nearest place for each share of the cost. Each place is behind the place before.
 * @param fractions rising, each between 0 and 1
 * @param measured the measured cost of places. The default is the counted cost
 * @throws DynnError 'exits/value' when the network has fewer places
 * @throws DynnError 'model/cut' when the network does not have a place */
export function placeExits(graph: Graph, fractions: readonly number[], measured?: MeasuredPlaces): ValueName[] {
  const places = placesOf(graph, [], measured);
  const chosen = nearestPlaces(places, fractions);
  if (chosen) return chosen.map(({ cut }) => cut);
  if (places.length === 0) throw noPlace(graph);
  throw new DynnError(
    "exits/value",
    `${graph.name}: ${counted(fractions.length, "exit")} asked for, and there are ${places.length} places for one. Ask for fewer.`,
    { places, fractions },
  );
}
