/** @file Attaches early exits: heads on legal cuts of a classifier. The nodes of the backbone do
 *  not change, so its final logits keep their bits. One exception: an engine can fuse fewer nodes
 *  at a cut, because the head reads the value, and so round differently. Source: docs/method.md
 *  section 2. */
import { DynnError } from "../../core/errors.js";
import { isStatic, showShape } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import { findCuts } from "../../graph/cuts.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { HEADS, type HeadName, headFor } from "../../nn/heads.js";
import type { Feature } from "../../nn/layers.js";
import { opTable } from "../../ops/table.js";
import type { ModelMetadata } from "../../schema/metadata.js";

/** The heads of new exits. */
export interface ExitOptions {
  /** The default depends on the rank of the feature. */
  readonly head?: HeadName;
  /** The seed of the heads' initial values. */
  readonly seed?: number;
}

/** Attaches a head to each cut of a classifier, for the same number of classes. Replaces exits that
 * the graph has already.
 * @param graph one image input. The last output holds the final logits [n, classes]
 * @param cuts values through which all work for the final logits passes, from first to last
 * @returns the graph with inferred types. Its outputs are exit0, exit1 ... and last the final
 *  logits. Parameters of a head start with the name of its exit (`exit0.weight`)
 * @throws DynnError 'exits/value' when a value is not a legal cut, is out of order, or does not fit
 *  the head
 * @throws DynnError 'model/cut' when the sizes of a value are not known
 * @throws DynnError 'model/classifier' when the last output does not hold logits [n, classes]
 * @throws DynnError 'model/duplicate' when the backbone has a value named exit0 ... */
export function attachExits(graph: Graph, cuts: readonly ValueName[], options: ExitOptions = {}): Graph {
  const { head, seed = 0 } = options;
  const backbone = backboneOf(graph);
  const [final] = backbone.outputs as [Graph["outputs"][number]];
  const classes = final.shape?.[1];
  if (final.shape?.length !== 2 || typeof classes !== "number")
    throw new DynnError(
      "model/classifier",
      `${graph.name}: the last output "${final.name}" is ${showShape(final.shape)}, expected logits [n,classes]. Attach exits to a classifier.`,
      { output: final.name },
    );
  checkOrder(backbone, cuts);
  checkNames(backbone, cuts.length);
  const b = new GraphBuilder(backbone);
  b.clearOutputs();
  cuts.forEach((cut, i) => {
    const feature = featureOf(backbone, cut);
    const fitting = head ?? headFor(feature.dims);
    if (fitting === undefined) throw unreadable(backbone, cut);
    const logits = HEADS[fitting].head({ b, seed, path: `exit${i}` }, feature, classes);
    b.output(logits, "float32", ["n", classes]);
  });
  b.output(final.name, final.dtype, final.shape);
  return inferShapes(b.build(), opTable);
}

/** The name of the last exit in files that dynn writes. Its tensor can have another name. */
export const FINAL_EXIT = "final";

/** The content of `dynn.exits`: names and logits of all exits, the final exit last. */
export const exitsMetadata = ({ outputs }: Graph): NonNullable<ModelMetadata["exits"]> =>
  outputs.map(({ name: logits }, k) => ({ name: k === outputs.length - 1 ? FINAL_EXIT : logits, logits }));

/** The part of the graph that computes its last output, with inferred types. */
export const backboneOf = (graph: Graph): Graph =>
  inferShapes(prune({ ...graph, outputs: graph.outputs.slice(-1) }), opTable);

/** The legal cuts of a backbone that are float32, in order. */
export function cutsOf(backbone: Graph): ValueName[] {
  const [source, target] = [backbone.inputs[0]?.name, backbone.outputs.at(-1)?.name];
  if (source === undefined || target === undefined) return [];
  return findCuts(backbone, source, target).filter((name) => backbone.types.get(name)?.dtype === "float32");
}

/** @throws DynnError 'exits/value' */
function checkOrder(backbone: Graph, cuts: readonly ValueName[]): void {
  const legal = cutsOf(backbone);
  const places = cuts.map((cut) => legal.indexOf(cut));
  const wrong = places.findIndex((place, i) => place < 0 || (i > 0 && place <= places[i - 1]));
  if (wrong < 0) return;
  const reason =
    places[wrong] < 0
      ? "is not a legal cut (a value that all work towards the final logits passes through)"
      : `does not come after "${cuts[wrong - 1]}"`;
  throw new DynnError(
    "exits/value",
    `${backbone.name}: "${cuts[wrong]}" ${reason}. Name legal cuts from first to last, each once, or give shares of the cost (15,30,45).`,
    { cut: cuts[wrong], legal },
  );
}

/** @throws DynnError 'model/duplicate' when the backbone has a name that an exit will take */
function checkNames(backbone: Graph, exits: number): void {
  const names = [...backbone.initializers.keys(), ...backbone.nodes.flatMap((node) => node.outputs)];
  const own = new Set(Array.from({ length: exits }, (_, i) => `exit${i}`));
  // A constant with such a name would be trained as a parameter of a head.
  const taken = names.find((name) => own.has(name) || /^exit\d+\./.test(name));
  if (taken !== undefined && exits > 0)
    throw new DynnError(
      "model/duplicate",
      `${backbone.name}: the backbone has a value "${taken}", and exits use such names. Rename it in the model.`,
      { value: taken },
    );
}

const unreadable = (backbone: Graph, cut: ValueName): DynnError =>
  new DynnError(
    "exits/value",
    `${backbone.name}: no head reads "${cut}", which is ${showShape(backbone.types.get(cut)?.shape)}. Place exits at an image [n,c,h,w], tokens [n,t,c] or a vector [n,c].`,
    { cut },
  );

/** @throws DynnError 'model/cut' when sizes other than the batch are not known */
function featureOf(backbone: Graph, cut: ValueName): Feature {
  const shape = backbone.types.get(cut)?.shape;
  const dims = shape?.slice(1);
  if (dims && isStatic(dims)) return { value: cut, dims };
  throw new DynnError(
    "model/cut",
    `${backbone.name}: "${cut}" is ${showShape(shape)}; a head needs all sizes but the batch. Give the image size, or export the model with a fixed one.`,
    { cut, shape },
  );
}
