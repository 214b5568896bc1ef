/** @file Adapters in their order: rewrites of a foreign graph towards the model contract, which
 *  is one float32 input [n,channels,height,width] and float32 outputs [n,classes]. */
import type { Graph } from "../../graph/graph.js";
import type { AdaptContext, Adapter, UncheckedBatch } from "./adapter.js";
import { openBatch } from "./batch.js";
import { bytePixels } from "./byte-pixels.js";
import { channelsLast } from "./channels-last.js";
import { floatTypes } from "./float-types.js";
import { openChannels } from "./open-channels.js";
import { imageRank } from "./ranks.js";

/** In this order. Each adapter reads the graph that the one before it made. */
const ADAPTERS: readonly Adapter[] = [bytePixels, floatTypes, channelsLast, imageRank, openChannels, openBatch];

/** What a gradient needs. Layout, rank and batch of the file stay. */
export const GRADIENT_ADAPTERS: readonly Adapter[] = [bytePixels, floatTypes, openChannels];

/** A graph that was read, and what changed on reading. */
export interface AdaptedGraph {
  /** The graph. It is the same object where nothing changed. */
  readonly graph: Graph;
  /** One sentence for each change. */
  readonly changes: readonly string[];
  /** A batch whose answers are still to be compared with those of the file. */
  readonly unchecked?: UncheckedBatch | undefined;
  /** Why the graph keeps the batch of 1 of the file. */
  readonly closed?: string | undefined;
}

/** Rewrites a foreign graph so that it fits the model contract. A graph that fits stays as it is.
 * @param adapters left out: all that the contract needs
 * @throws DynnError 'model/input' when a rewrite is needed and not possible */
export function adapt(graph: Graph, context: AdaptContext, adapters: readonly Adapter[] = ADAPTERS): AdaptedGraph {
  const changes: string[] = [];
  let adapted = graph;
  let last: Pick<AdaptedGraph, "unchecked" | "closed"> = {};
  for (const adapter of adapters) {
    const next = adapter(adapted, context);
    if (!next) continue;
    adapted = next.graph;
    changes.push(next.change);
    last = { unchecked: next.unchecked, closed: next.closed };
  }
  return { graph: adapted, changes, ...last };
}
