/** @file Cuts a model into parts that run on different machines or one after the other.
 *  Each part holds consecutive exits and the work that only they need. One part per exit makes a
 *  staged export; two parts make a split. */

import { DynnError } from "../core/errors.js";
import { counted } from "../core/units.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { skipping } from "../dynamic/run/skipping/index.js";
import { rowSize, type Stage, type StageGate, splitStages } from "../dynamic/run/stages.js";
import type { Graph, ValueInfo, ValueName } from "../graph/graph.js";
import { inferShapes } from "../graph/infer.js";
import { prune } from "../graph/passes/prune.js";
import { opTable } from "../ops/table.js";

/** A part of a model that one machine runs: one graph with some of the exits. */
export interface ModelPart {
  /** The part's name. The name of its file is made from it. */
  readonly name: string;
  /** The first part takes the image, later parts take hidden values. A part gives the logits of its
   * exits, and its own hidden values that later parts read. All have one row per sample. */
  readonly graph: Graph;
  /** The exits of the part, by their numbers in the model. */
  readonly exits: readonly { readonly exit: number; readonly logits: ValueName }[];
  /** Hidden values of this part or earlier ones that a sample carries to later parts. */
  readonly kept: readonly ValueName[];
  /** The gates whose scores the part gives. */
  readonly gates: readonly StageGate[];
}

/** One part for each exit: stage0, stage1 ... */
export const stagedParts = (model: DynamicModel): ModelPart[] => {
  const stages = splitStages(model);
  return stages.map((stage, k) => partOf(model, `stage${k}`, [stage], k));
};

/** Two parts: the device holds the exits up to and including `at`, the server holds the later ones.
 * @param at number of an early exit
 * @throws DynnError 'export/unsupported' when the model has one exit, 'cli/value' when `at` is not
 *   an early exit */
export function splitParts(model: DynamicModel, at: number): [device: ModelPart, server: ModelPart] {
  refuseStatic(model);
  if (!(Number.isInteger(at) && at >= 0 && at < model.exits.length - 1))
    throw new DynnError(
      "cli/value",
      `split: got exit ${at}, expected an early exit, 0 to ${model.exits.length - 2}. ${model.name} has ${counted(model.exits.length, "exit")}, and the server needs the last one.`,
      { at, exits: model.exits.length },
    );
  const stages = splitStages(model);
  const [device, server] = [stages.slice(0, at + 1), stages.slice(at + 1)];
  return [partOf(model, "device", device, 0), partOf(model, "server", server, at + 1)];
}

/** The split that sends least: the early exit with the fewest hidden numbers per image. Of equals
 * it is the first, because the device then computes least. */
export function smallestSplit(model: DynamicModel): number {
  refuseStatic(model);
  const sizes = splitStages(model)
    .slice(0, -1)
    .map(({ kept }) => kept.reduce((sum, name) => sum + rowSize(infoOf(model.graph, name)), 0));
  return sizes.indexOf(Math.min(...sizes));
}

function refuseStatic({ name, exits }: DynamicModel): void {
  if (exits.length > 1) return;
  throw new DynnError(
    "export/unsupported",
    `${name}: has one exit, but a split needs an early exit for the device. Give a model with early exits.`,
    { exits: exits.length },
  );
}

/** Consecutive stages as one part. */
function partOf({ graph, gates: all }: DynamicModel, name: string, stages: readonly Stage[], first: number): ModelPart {
  const kept = (stages.at(-1) as Stage).kept;
  const made = new Set(stages.flatMap((stage) => stage.graph.nodes.flatMap((node) => node.outputs)));
  const read = stages.flatMap((stage) => stage.graph.inputs.map((input) => input.name));
  const logits = stages.map((stage) => stage.logits);
  const gates = stages.flatMap((stage) => stage.gates);
  const scores = gates.map(({ score }) => score);
  const names = {
    inputs: read.filter((n) => !made.has(n)),
    outputs: [...logits, ...kept.filter((n) => made.has(n)), ...scores],
  };
  const part: Graph = {
    ...graph,
    name: `${graph.name}/${name}`,
    nodes: graph.nodes.filter((node) => node.outputs.some((output) => made.has(output))),
    inputs: [...new Set(names.inputs)].map((n) => infoOf(graph, n)),
    outputs: [...new Set(names.outputs)].map((n) => infoOf(graph, n)),
  };
  const exits = logits.map((value, i) => ({ exit: first + i, logits: value }));
  return { name, graph: skipping(inferShapes(prune(part), opTable), all, { single: false }), exits, kept, gates };
}

/** A value as an input or output. The image is an input of the model; other values have an inferred
 * type. */
export function infoOf(graph: Graph, name: ValueName): ValueInfo {
  const type = graph.types.get(name);
  if (!type) throw new Error(`bug: "${name}" has no type`);
  return { name, dtype: type.dtype, shape: type.shape };
}
