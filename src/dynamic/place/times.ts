/** @file Measures the cost of places for exits. The network is cut into sections from place to
 *  place,
 *  and each head is a section of its own. The sections run one after the other on a full batch. The
 *  results are shares of the time without heads, so they compare with counted costs. */
import type { Dims } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { HEADS, type HeadName } from "../../nn/heads.js";
import { opTable } from "../../ops/table.js";
import { backboneOf } from "../model/exits.js";
import { measureStages, type TimingOptions } from "../run/timing.js";
import { type Candidate, candidatesOf } from "./auto.js";
import type { MeasuredPlaces } from "./places.js";

export interface PlaceTimingOptions extends TimingOptions {
  /** The head to attach. The default depends on the rank of the feature. */
  readonly head?: HeadName | undefined;
  /** Cuts that are preferred to others of the same counted cost. */
  readonly named?: readonly ValueName[] | undefined;
}

/** Measures the time of every place of a network, and of the head there. The times are medians over
 * runs in which all sections take turns.
 * @param graph one image input. The last output holds the final logits
 * @throws DynnError as `candidatesOf` and `measureStages` */
export async function measurePlaces(
  graph: Graph,
  { head, named, ...timing }: PlaceTimingOptions,
): Promise<MeasuredPlaces> {
  const candidates = candidatesOf(graph, head, named);
  const { headed, ends } = withHeads(backboneOf(graph), candidates);
  const { name, shape = [] } = headed.inputs[0];
  const model = { name: graph.name, graph: headed, input: { name, shape }, exits: ends };
  const { milliseconds, roundSpread } = await measureStages(model, timing);
  return {
    batch: timing.images.count,
    places: sharesOf(candidates, ends, milliseconds),
    ...(roundSpread === undefined ? {} : { roundSpread }),
  };
}

interface End {
  readonly logits: ValueName;
  readonly head: boolean;
}

function withHeads(
  backbone: Graph,
  candidates: readonly Candidate[],
): { readonly headed: Graph; readonly ends: readonly End[] } {
  const final = backbone.outputs[0];
  const classes = Number(final.shape?.at(-1));
  const b = new GraphBuilder(backbone);
  const ends = candidates.flatMap(({ cut, shape, head }): End[] => {
    const front = { logits: cut, head: false };
    if (head === undefined) return [front];
    const feature = { value: cut, dims: shape.slice(1) as Dims };
    const logits = HEADS[head].head({ b, seed: 0, path: `${cut}/head` }, feature, classes);
    b.output(logits, "float32", ["n", classes]);
    return [front, { logits, head: true }];
  });
  return { headed: inferShapes(b.build(), opTable), ends: [...ends, { logits: final.name, head: false }] };
}

function sharesOf(
  candidates: readonly Candidate[],
  ends: readonly End[],
  times: readonly number[],
): MeasuredPlaces["places"] {
  const full = ends.reduce((sum, { head }, i) => sum + (head ? 0 : times[i]), 0);
  let front = 0;
  return candidates.map(({ cut, head }) => {
    const at = ends.findIndex(({ logits }) => logits === cut);
    front += times[at];
    return { cut, fraction: front / full, headFraction: head === undefined ? 0 : times[at + 1] / full };
  });
}
