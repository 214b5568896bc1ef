/** @file The batch of a study. A batch that the caller leaves out follows from the memory that the
 *  model needs, with its gradient when the study attacks. */
import type { SessionRoom } from "../attacks/oracle/sessions.js";
import { gradientGraph } from "../autodiff/gradient.js";
import { crossEntropy, targetsOf } from "../autodiff/losses.js";
import { DynnError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { memoryOf } from "../graph/memory.js";
import { opTable } from "../ops/table.js";
import type { Backend } from "../runtime/backend.js";
import { type BatchChoice, batchFor } from "../runtime/batch.js";
import type { OpenRecorded } from "./defaults.js";

/** Options of a study whose batch may be left out. It then follows from the memory. */
export type OpenBatch<T extends { readonly batch: number }> = Omit<T, "batch"> & {
  /** Samples in one run. Left out: as many as the memory allows, at most 64. */
  readonly batch?: number | undefined;
};

/** What the caller of a study gives. The batch, the version and the clock may be left out. */
export type StudyRequest<T extends { readonly batch: number }> = OpenRecorded<OpenBatch<T>>;

/** What a study runs. */
export interface StudyRuns {
  readonly model: DynamicModel;
  readonly backend: Backend;
  /** The batch that the caller gives. */
  readonly batch?: number | undefined;
  /** Whether gradients run too. */
  readonly gradients?: boolean;
  /** Number of images in memory, copies included. */
  readonly images?: number;
  /** Number of sessions that are open together. Default: 1; with gradients one more for each
   * exit. */
  readonly sessions?: number;
}

/** The batch of a study.
 * @throws DynnError 'memory/batch' when a run would not fit into the free memory, 'cli/value' */
export function batchOf({ gradients = false, images = 0, ...runs }: StudyRuns): BatchChoice {
  const { model, backend, batch, sessions = gradients ? 1 + model.exits.length : 1 } = runs;
  const { name, input } = model;
  const dims = input.shape.slice(1).map((d) => (typeof d === "number" ? d : 0));
  return batchFor({
    ...{ name, backend, batch },
    graph: (gradients ? attackGraph(model) : undefined) ?? model.graph,
    sessions,
    held: images * sizeOf(dims) * Float32Array.BYTES_PER_ELEMENT,
  });
}

/** The choice for models that are in memory together: that of the model which needs most. */
export const tightest = (choices: readonly BatchChoice[]): BatchChoice =>
  choices.reduce((a, b) => (b.batch < a.batch || (b.batch === a.batch && bytesOf(b) > bytesOf(a)) ? b : a));

const bytesOf = ({ bytes = 0 }: BatchChoice): number => bytes;

/** The room for the sessions of attacks, beside a session that runs the whole model.
 * @returns undefined when the free memory is not known */
export function attackRoom({ room, batch }: BatchChoice, { graph }: DynamicModel): SessionRoom | undefined {
  if (room === undefined) return undefined;
  return { bytes: room - (memoryOf(graph, opTable)?.(batch) ?? 0), batch };
}

/** The graph of an attack on all exits: the sum of their cross-entropies, with its gradient. The
 * graph of an attack on fewer exits has at most this size.
 * @returns undefined when the model has no gradient; an attack then says why */
function attackGraph(model: DynamicModel): Graph | undefined {
  const known = ATTACK_GRAPHS.get(model) ?? { graph: attackGraphOf(model) };
  ATTACK_GRAPHS.set(model, known);
  return known.graph;
}

/** One model is attacked many times, and its gradient takes longer than a small task. */
const ATTACK_GRAPHS = new WeakMap<DynamicModel, { readonly graph: Graph | undefined }>();

function attackGraphOf(model: DynamicModel): Graph | undefined {
  try {
    return gradientOfExits(model);
  } catch (error) {
    if (error instanceof DynnError) return undefined;
    throw error;
  }
}

function gradientOfExits({ graph, exits, classes, input }: DynamicModel): Graph {
  const b = new GraphBuilder(graph);
  const labels = b.input("labels", "int64", input.shape.slice(0, 1));
  const target = targetsOf(b, labels, classes);
  const losses = exits.map(({ logits }) => crossEntropy(b, logits, target, 1));
  const loss = b.op("Sum", losses, {}, "loss");
  const forward = inferShapes(b.build(), opTable);
  const keep = exits.map(({ logits }) => logits);
  return gradientGraph(forward, opTable, { loss, wrt: [input.name], names: ["gradient"], keep });
}
