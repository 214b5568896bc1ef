/** @file Runs a model on images to see what its outputs hold, where the graph does not show it. */
import { Images, imageDims } from "../../core/images.js";
import type { Logits } from "../../core/logits.js";
import { uniform } from "../../core/rng.js";
import { isStatic, sizeOf } from "../../core/shape.js";
import { GraphBuilder } from "../../graph/builder.js";
import { producers, type ValueInfo } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { logOf, severalLabels } from "../../ops/output-logits.js";
import { endsUnbounded } from "../../ops/probabilities.js";
import { opTable } from "../../ops/table.js";
import type { Backend } from "../../runtime/backend.js";
import { checkBatch, whyClosed } from "../adapt/batch.js";
import { withNodes } from "../model/logits.js";
import type { DynamicModel } from "../model/model.js";
import { Forward } from "./forward.js";
import { rowsKind } from "./rows-kind.js";

/** Images that are run. */
const PROBES = 16;

/** Options of {@link checkOutputs}. */
export interface OutputOptions {
  /** Runs the model. */
  readonly backend: Backend;
  /** A few of them are run. Left out: random pixels. */
  readonly images?: Images | undefined;
}

/** The model with the logarithm of each exit that turns out to hold probabilities. A model whose
 * exits end in a matrix product or a convolution is not run: its outputs have no bounds.
 * A batch that was opened by sizes alone is compared with the file first.
 * @throws DynnError 'model/classifier' when an exit holds a probability for each label of several;
 *         'model/input' when an opened batch gives other answers; 'runtime/load', 'runtime/run' */
export async function checkOutputs(given: DynamicModel, options: OutputOptions): Promise<DynamicModel> {
  const { backend, images } = options;
  const model = await withCheckedBatch(given, backend);
  const doubtful = model.exits.some(({ logits }) => !endsUnbounded(model.graph, logits));
  if (!doubtful || !isStatic(model.input.shape.slice(1))) return model;
  const probes = images && images.count > 0 ? images.rows(0, PROBES) : randomImages(model);
  const forward = await Forward.compile(model, { backend });
  try {
    const logits = await forward.outputs(probes, { batch: PROBES });
    return asRead(model, logits);
  } finally {
    await forward.release();
  }
}

/** The model after its answers were compared with those of its file, where reading did not do so.
 * Where answers differ at a batch of 1, the model that keeps that batch.
 * @throws DynnError 'model/input' when answers differ at another batch */
async function withCheckedBatch(model: DynamicModel, backend: Backend): Promise<DynamicModel> {
  const { unchecked, ...rest } = model;
  if (!unchecked) return model;
  try {
    await checkBatch(unchecked, backend);
  } catch (error) {
    return unchecked.closed(whyClosed(error));
  }
  const { change, checked } = unchecked;
  return { ...rest, changes: model.changes.map((one) => (one === change ? checked : one)) };
}

function randomImages(model: DynamicModel): Images {
  const size = sizeOf(imageDims(model));
  const rows = Array.from({ length: PROBES }, (_, sample) =>
    uniform({ seed: 0, sample, purpose: "test", step: 0 }, size),
  );
  const data = new Float32Array(PROBES * size);
  rows.forEach((row, i) => {
    data.set(row, i * size);
  });
  return Images.for(model, data);
}

function asRead(model: DynamicModel, logits: Logits): DynamicModel {
  const kinds = model.exits.map((_, exit) => rowsKind(logits.exits[exit] ?? [], logits.classes));
  const labels = kinds.indexOf("labels");
  if (labels >= 0) throw severalLabels(model.name, model.exits[labels]?.name ?? "");
  const wrong = model.exits.filter((_, exit) => kinds[exit] === "probabilities").map((exit) => exit.logits);
  return wrong.length === 0 ? model : withLogarithms(model, wrong);
}

function withLogarithms(model: DynamicModel, probabilities: readonly string[]): DynamicModel {
  const b = new GraphBuilder(model.graph);
  const logarithms = new Map(probabilities.map((p) => [p, logOf(b, p)]));
  const exits = model.exits.map((exit) => ({ ...exit, logits: logarithms.get(exit.logits) ?? exit.logits }));
  b.clearOutputs();
  for (const { logits } of exits) b.output(logits, "float32", undefined);
  const graph = inferShapes(b.build(), opTable);
  const makers = producers(model.graph);
  const nodes = graph.nodes.filter((node) => !node.outputs.some((name) => makers.has(name)));
  const constants = [...graph.initializers].filter(([name]) => !model.graph.initializers.has(name));
  const source = withNodes(model.source, { nodes, initializers: new Map(constants) });
  return { ...model, graph, exits, source: { ...source, outputs: graph.outputs.map(untyped) } };
}

const untyped = (output: ValueInfo): ValueInfo => ({ ...output, shape: undefined });
