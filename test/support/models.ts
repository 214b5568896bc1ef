/** @file Small models made in the test: a linear classifier with closed-form answers, and a seeded network of three exits. */
import type { Victim } from "../../src/attacks/goals/victim.js";
import type { Sample } from "../../src/attacks/sample.js";
import { normal, uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Tensor } from "../../src/core/tensor.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import type { Policy } from "../../src/schema/policy.js";

export const OPSET = 17;

const asModel = (graph: Graph): DynamicModel => dynamicModel({ graph, metadata: new Map() });

const noise = (dims: readonly number[], seed: number, scale: number): Tensor<"float32"> => ({
  dtype: "float32",
  dims,
  data: normal({ seed, sample: 0, purpose: "test", step: 0 }, sizeOf(dims)).map((v) => v * scale),
});

/** logits = x W^T + bias, over [n, 1, 1, d] images. */
export function linearModel(weights: readonly (readonly number[])[], bias: readonly number[]): DynamicModel {
  const d = weights[0].length;
  const b = new GraphBuilder(emptyGraph("linear", OPSET));
  const x = b.input("image", "float32", ["n", 1, 1, d]);
  const w = b.constant({
    dtype: "float32",
    dims: [d, weights.length],
    data: Float32Array.from(
      { length: d * weights.length },
      (_, i) => weights[i % weights.length]?.[Math.floor(i / weights.length)],
    ),
  });
  const c = b.constant({ dtype: "float32", dims: [weights.length], data: Float32Array.from(bias) });
  b.output(b.op("Gemm", [b.op("Flatten", [x]), w, c], {}, "logits"), "float32", undefined);
  return asModel(b.build());
}

/** Three exits over [n, 3, 8, 8] images and four classes, seeded weights: conv, head; conv with stride 2, head; conv, head. */
export function smallExits(seed = 1): DynamicModel {
  const b = new GraphBuilder(emptyGraph("small", OPSET));
  let h = b.input("image", "float32", ["n", 3, 8, 8]);
  [
    [3, 6, 1],
    [6, 8, 2],
    [8, 8, 1],
  ].forEach(([from, to, stride], k) => {
    const w = b.constant(noise([to, from, 3, 3], seed + 10 * k, 1.4 / Math.sqrt(9 * from)), `w${k}`);
    h = b.op(
      "Relu",
      [b.op("Conv", [h, w], { pads: ints([1, 1, 1, 1]), strides: ints([stride, stride]) }, `conv${k}`)],
      {},
      `h${k}`,
    );
    const head = b.constant(noise([to, 4], seed + 10 * k + 5, 4), `head${k}`);
    b.output(
      b.op("Gemm", [b.op("Flatten", [b.op("GlobalAveragePool", [h])]), head], {}, `exit${k}`),
      "float32",
      undefined,
    );
  });
  return asModel(b.build());
}

/** Random images with the model's logits; labels are the model's own final ones, so that every sample is right when clean. */
export async function samplesOf(model: DynamicModel, count: number, seed = 7): Promise<Sample[]> {
  const dims = model.input.shape.slice(1) as number[];
  const session = await referenceBackend.compile(model.graph);
  const samples: Sample[] = [];
  for (let id = 0; id < count; id++) {
    const pixels = uniform({ seed, sample: id, purpose: "test", step: 1 }, sizeOf(dims), 0.1, 0.9);
    const out = await session.run({ [model.input.name]: { dtype: "float32", dims: [1, ...dims], data: pixels } });
    const clean = model.exits.map((e) => out[e.logits]?.data as Float32Array);
    const final = clean.at(-1) as Float32Array;
    samples.push({ id, pixels, clean, label: final.indexOf(Math.max(...final)) });
  }
  return samples;
}

/** The model under a max-softmax policy with one threshold. */
export function victimOf(model: DynamicModel, threshold = 0.6, rest: Partial<Policy> = {}): Victim {
  const policy: Policy = {
    rule: "max-softmax",
    thresholds: new Array<number>(model.exits.length - 1).fill(threshold),
    fallback: "final",
    ...rest,
  };
  return { model, policy };
}
