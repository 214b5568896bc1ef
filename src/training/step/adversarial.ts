/** @file The attack of adversarial training: PGD on the batch under the current weights. Each step
 *  of PGD is one run of a graph. BatchNormalization uses its running statistics, as in the deployed
 *  network. "max" attacks every exit and keeps, per sample, the image with the largest total loss.
 *  Sources: Madry et al. 2018; Hu et al. 2020 (Triple Wins), section 3.2. */

import { appendVjp } from "../../autodiff/gradient.js";
import { crossEntropy, targetsOf } from "../../autodiff/losses.js";
import { present } from "../../core/present.js";
import { sizeOf } from "../../core/shape.js";
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import { inferShapes } from "../../graph/infer.js";
import { prune } from "../../graph/passes/prune.js";
import { reduceSum, unsqueeze } from "../../ops/support/emit.js";
import { opTable } from "../../ops/table.js";
import { NORMS } from "../../perturb/norms.js";
import { pgdStepNodes } from "../../perturb/step.js";
import type { Session, Tensors } from "../../runtime/backend.js";
import type { AdversarialConfig } from "../recipe/config.js";

import { asInputs } from "./training-form.js";

/** Adversarial training limits the change of every pixel. */
const NORM = "linf";

/** Inputs and outputs of the attack's graph besides images and parameters. */
const PGD = {
  clean: "pgd.clean",
  labels: "pgd.labels",
  weights: "pgd.weights",
  next: "pgd.next",
  loss: "pgd.loss",
} as const;

/** The graph of one PGD step. Inputs: images, clean images, labels and the exits' weights. Outputs:
 * the moved images, and each sample's loss before the step, summed over all exits.
 * @param state initializers that change during training */
export function pgdGraph(
  source: Graph,
  logits: readonly ValueName[],
  state: readonly ValueName[],
  { radius, stepSize }: AdversarialConfig,
  batch: number,
): Graph {
  const own = state.filter((name) => source.initializers.has(name));
  const b = new GraphBuilder(inferShapes(asInputs(source, own), opTable, { n: batch }));
  const images = source.inputs[0].name;
  const shape = b.build().inputs[0].shape ?? [];
  const clean = b.input(PGD.clean, "float32", shape);
  const labels = b.input(PGD.labels, "int64", [batch]);
  const weights = b.input(PGD.weights, "float32", [1, logits.length]);
  const classes = b
    .build()
    .types.get(present(logits.at(0), "the first exit"))
    ?.shape.at(-1) as number;
  const target = targetsOf(b, labels, classes);
  const losses = b.op(
    "Concat",
    logits.map((name) => unsqueeze(b, crossEntropy(b, name, target, 1), [1])),
    { axis: int(1) },
  );
  const loss = reduceSum(b, b.op("Mul", [losses, weights]), [0, 1], false);
  const total = reduceSum(b, losses, [1], false);
  const forward = inferShapes(b.build(), opTable);
  const grads = appendVjp(b, forward, opTable, { seeds: new Map([[loss, b.scalar(1)]]), wrt: [images] });
  const gradient = grads.get(images) as ValueName;
  const next = pgdStepNodes(b, { image: images, gradient, clean }, { norm: NORM, radius, stepSize });
  b.clearOutputs();
  for (const [value, name, dims] of [
    [next, PGD.next, shape],
    [total, PGD.loss, [batch]],
  ] as const) {
    b.append({ opType: "Identity", domain: "", name: "", inputs: [value], outputs: [name], attributes: {} });
    b.output(name, "float32", dims);
  }
  return prune(inferShapes(b.build(), opTable));
}

export interface AttackedBatch {
  readonly images: Tensor<"float32">;
  readonly labels: Tensor<"int64">;
  /** Record number of each row. Random starts depend on it. */
  readonly indices: Uint32Array;
  /** Steps of training done so far. */
  readonly step: number;
  readonly seed: number;
}

/** The images after PGD from a uniform start in the ball. */
export async function attackBatch(
  session: Session,
  batch: AttackedBatch,
  config: AdversarialConfig,
  exits: number,
  state: Tensors,
): Promise<Float32Array> {
  const start = randomStart(batch, config.radius);
  if (config.target !== "max") {
    const weights = exitWeightsOf(config.target, exits);
    return (await climb(session, batch, config, weights, start, state)).images;
  }
  const each = sizeOf(batch.images.dims.slice(1));
  const best = start.slice();
  const strongest = new Float32Array(batch.indices.length).fill(Number.NEGATIVE_INFINITY);
  for (let k = 0; k < exits; k++) {
    const onlyOne = Array.from({ length: exits }, (_, i) => (i === k ? 1 : 0));
    const { images } = await climb(session, batch, config, onlyOne, start, state);
    const losses = await lossOf(session, batch, images, exits, state);
    losses.forEach((loss, row) => {
      if (loss <= strongest[row]) return;
      strongest[row] = loss;
      best.set(images.subarray(row * each, (row + 1) * each), row * each);
    });
  }
  return best;
}

const exitWeightsOf = (target: "final" | "average", exits: number): number[] =>
  Array.from({ length: exits }, (_, k) => (target === "average" ? 1 / exits : k === exits - 1 ? 1 : 0));

function randomStart({ images, indices, step, seed }: AttackedBatch, radius: number): Float32Array {
  const each = sizeOf(images.dims.slice(1));
  const out = new Float32Array(images.data.length);
  indices.forEach((sample, row) => {
    const clean = images.data.subarray(row * each, (row + 1) * each);
    out.set(NORMS[NORM].start(clean, radius, { seed, sample, purpose: "attack-start", step }), row * each);
  });
  return out;
}

async function climb(
  session: Session,
  batch: AttackedBatch,
  config: AdversarialConfig,
  weights: readonly number[],
  start: Float32Array,
  state: Tensors,
): Promise<{ readonly images: Float32Array }> {
  let images = start;
  for (let i = 0; i < config.steps; i++) {
    const results = await session.run(feedsOf(session, batch, images, weights, state));
    images = (results[PGD.next] as Tensor<"float32">).data;
  }
  return { images };
}

const lossOf = async (
  session: Session,
  batch: AttackedBatch,
  images: Float32Array,
  exits: number,
  state: Tensors,
): Promise<Float32Array> => {
  const results = await session.run(feedsOf(session, batch, images, exitWeightsOf("average", exits), state));
  return (results[PGD.loss] as Tensor<"float32">).data;
};

/** The session's inputs. The first holds the images, and the others are found by name. */
function feedsOf(
  session: Session,
  { images, labels }: AttackedBatch,
  now: Float32Array,
  weights: readonly number[],
  state: Tensors,
): Tensors {
  const all: Record<string, Tensor> = {
    ...state,
    [session.inputs[0]]: { ...images, data: now },
    [PGD.clean]: images,
    [PGD.labels]: labels,
    [PGD.weights]: fromNumbers("float32", [1, weights.length], weights),
  };
  return Object.fromEntries(session.inputs.map((name) => [name, all[name]]));
}
