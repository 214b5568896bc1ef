/** @file Where exits go: the legal cuts nearest to given shares of the cost, or values named by hand. Source: method.md section 2. */
import { DynnError } from "../core/errors.js";
import { macsOf, nodeMacs } from "../graph/cost.js";
import type { Graph, ValueName } from "../graph/graph.js";
import { opTable } from "../ops/table.js";
import { backboneOf, cutsOf } from "./exits.js";

/** A place for an exit. */
export interface Place {
  readonly cut: ValueName;
  /** MACs from the input up to the cut, as a share of the whole backbone's. */
  readonly fraction: number;
}

/** Where a user wants exits. */
export type ExitSpec =
  | { readonly kind: "none" }
  | { readonly kind: "fractions"; readonly fractions: readonly number[] }
  | { readonly kind: "values"; readonly values: readonly ValueName[] };

/** Read "none", percentages of the cost ("15,30,45"), or names of values ("stage1.block0.out,stage2.block3.out").
 * @throws DynnError 'cli/value' when percentages do not rise between 0 and 100, or an entry is empty */
export function parseExits(text: string): ExitSpec {
  if (text.trim() === "none") return { kind: "none" };
  const entries = text.split(",").map((entry) => entry.trim());
  const percents = entries.map((entry) => Number(entry.replace(/%$/, "")));
  const advice = "Write none, percentages of the cost (15,30,45,60,75,90), or names of values.";
  if (entries.includes(""))
    throw new DynnError("cli/value", `exits: "${text}" has an empty entry. ${advice}`, { text });
  if (percents.some(Number.isNaN)) return { kind: "values", values: entries };
  if (percents.some((p, i) => !(p > (percents[i - 1] ?? 0) && p < 100)))
    throw new DynnError("cli/value", `exits: "${text}" does not rise between 0 and 100. ${advice}`, { text });
  return { kind: "fractions", fractions: percents.map((p) => p / 100) };
}

/** The cuts that a spec asks for.
 * @throws DynnError 'model/cut' as `placeExits` does */
export function cutsFor(graph: Graph, spec: ExitSpec): readonly ValueName[] {
  if (spec.kind === "none") return [];
  return spec.kind === "values" ? spec.values : placeExits(graph, spec.fractions);
}

/** For each share of the cost the nearest place behind the one before.
 * @param fractions rising, each between 0 and 1
 * @throws DynnError 'model/cut' when the network has not that many places */
export function placeExits(graph: Graph, fractions: readonly number[]): ValueName[] {
  const places = placesOf(graph);
  let next = 0;
  return fractions.map((wanted, i) => {
    const spare = places.length - (fractions.length - i - 1);
    const distance = (at: number) => Math.abs((places[at] as Place).fraction - wanted);
    if (next >= spare) throw tooMany(graph, places, fractions);
    let nearest = next;
    for (let at = next + 1; at < spare; at++) if (distance(at) < distance(nearest)) nearest = at;
    next = nearest + 1;
    return (places[nearest] as Place).cut;
  });
}

/** Places where an exit makes sense, in order: of cuts with the same cost the last that is an image or a list of tokens (behind the
 *  activation, the addition, the pooling), and none before the first counted work. */
export function placesOf(graph: Graph): Place[] {
  const backbone = backboneOf(graph);
  const costs = nodeMacs(backbone, opTable);
  const fractionOf = (cut: ValueName) => macsOf(backbone, [cut], costs) / full;
  const full = macsOf(backbone, [backbone.outputs[0]?.name ?? ""], costs);
  const places = cutsOf(backbone)
    .filter((cut) => (backbone.types.get(cut)?.shape.length ?? 0) > 2)
    .map((cut) => ({ cut, fraction: fractionOf(cut) }));
  return places.filter(({ fraction }, i) => fraction > 0 && fraction !== places[i + 1]?.fraction);
}

const tooMany = (graph: Graph, places: readonly Place[], fractions: readonly number[]): DynnError =>
  new DynnError(
    "model/cut",
    `${graph.name}: ${fractions.length} exits asked for, and there are ${places.length} places for one. Ask for fewer.`,
    { places, fractions },
  );
