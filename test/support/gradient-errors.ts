/** @file How far the input gradient of a whole network is from independent answers: float64 on the reference kernels against finite
 *  differences of the loss, and float32 on ONNX Runtime against that float64. The loss is cross-entropy, summed over the batch. */
import { type ModelGradient, modelGradient } from "../../src/autodiff/model-gradient.js";
import { normal } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { prune } from "../../src/graph/passes/prune.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { inFloat64 } from "./float64.js";

/** What the float64 slope along a direction may be off, relative to max(1, slope). */
export const SLOPE_BOUND = 1e-6;
/** What a float32 gradient may be off, as a share of the largest value. */
export const FLOAT32_BOUND = 1e-3;

export interface Images {
  readonly pixels: Tensor;
  readonly labels: readonly number[];
  /** Half the distance of the finite differences: small enough that no activation passes its kink. Left out: none are taken. */
  readonly step?: number | undefined;
}

export interface GradientErrors {
  /** Worst of two random directions; undefined where no finite differences are taken. */
  readonly slope: number | undefined;
  /** Largest error of an element over the largest element. */
  readonly float32: number;
}

/** Largest difference as a share of the largest wanted value, images in `skip` left out. */
export function largestError(got: Tensor | undefined, want: Tensor, skip: readonly number[] = []): number {
  if (got?.dims.join() !== want.dims.join()) throw new Error(`got [${got?.dims}], expected [${want.dims}]`);
  const [a, b] = [toNumbers(got), toNumbers(want)];
  const perImage = b.length / want.dims[0];
  const scale = b.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  if (!(scale > 0)) throw new Error("the expected values are all zero, and would hide any error");
  const off = (v: number, i: number) => (skip.includes(Math.floor(i / perImage)) ? 0 : Math.abs(v - b[i]));
  return a.reduce((m, v, i) => Math.max(m, off(v, i)), 0) / scale;
}

/** Both errors of the gradient of a classifier. */
export async function gradientErrors(graph: Graph, images: Images): Promise<GradientErrors> {
  const wide = gradientOf(inFloat64(graph));
  const exact = runReference(wide.graph, feedsOf(wide, images, "float64"))[wide.gradient];
  const single = gradientOf(graph);
  checkGraph(single.graph, opTable);
  const session = await ortNode({ threads: 1 }).compile(single.graph);
  const found = (await session.run(feedsOf(single, images, "float32")))[single.gradient];
  await session.release();
  const slope = images.step === undefined ? undefined : slopeError(wide, exact, images, images.step);
  return { slope, float32: largestError(found, exact) };
}

const gradientOf = (graph: Graph): ModelGradient => modelGradient(graph, opTable, { loss: "cross-entropy" });

const feedsOf = (
  { graph, labels }: ModelGradient,
  images: Images,
  dtype: "float32" | "float64",
  pixels: ArrayLike<number> = toNumbers(images.pixels),
): Readonly<Record<string, Tensor>> => ({
  [graph.inputs[0]?.name]: fromNumbers(dtype, images.pixels.dims, pixels),
  [labels as string]: fromNumbers("int64", [images.labels.length], images.labels),
});

/** The worst of two random directions. */
function slopeError(model: ModelGradient, gradient: Tensor, images: Images, step: number): number {
  const errors = [1, 2].map((draw) => {
    const direction = normal({ seed: 5, sample: 0, purpose: "test", step: draw }, sizeOf(images.pixels.dims));
    const analytic = toNumbers(gradient).reduce((sum, v, i) => sum + v * direction[i], 0);
    const numeric = slopeAlong(model, direction, images, step);
    return Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric));
  });
  return Math.max(...errors);
}

/** The summed loss, moved along a direction. */
function slopeAlong(model: ModelGradient, direction: ArrayLike<number>, images: Images, step: number): number {
  const outputs = model.graph.outputs.filter(({ name }) => name === model.loss);
  const forward = prune({ ...model.graph, outputs });
  const loss = (t: number): number => {
    const moved = toNumbers(images.pixels).map((v, i) => v + t * direction[i]);
    const values = runReference(forward, feedsOf(model, images, "float64", moved))[model.loss];
    return toNumbers(values).reduce((a, b) => a + b, 0);
  };
  return (loss(step) - loss(-step)) / (2 * step);
}
