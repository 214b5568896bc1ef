/** @file Small things to train: a residual network of two exits on 8 x 8 images, and data that it can tell apart. */
import { expect } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Tensor } from "../../src/core/tensor.js";
import { type Dataset, inMemory } from "../../src/data/dataset.js";
import { attachExits } from "../../src/dynamic/model/exits.js";
import type { Graph } from "../../src/graph/graph.js";
import { HEADS } from "../../src/nn/heads.js";
import { add, batchNorm, conv, inside, relu } from "../../src/nn/layers.js";
import { network } from "../../src/nn/network.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { TrainingConfig } from "../../src/training/recipe/config.js";
import type { TrainableModel, TrainingRequest } from "../../src/training/run/request.js";
import { train } from "../../src/training/run/trainer.js";
import type { TrainingState } from "../../src/training/step/state.js";

export const CLASSES = 3;
export const SIDE = 8;

/** conv, a residual block (value "hidden"), a strided convolution, linear; 8 to 16 channels. Images [n,3,8,8]. */
export function backbone(seed = 0): Graph {
  return network("small", { classes: CLASSES, imageSize: SIDE, seed }, 4, ({ at, images, classes }) => {
    const stem = relu(at, "stem", batchNorm(at, "bn1", conv(at, "conv1", images, { to: 8, kernel: 3 })));
    const second = batchNorm(at, "bn2", conv(at, "conv2", stem, { to: 8, kernel: 3 }));
    const hidden = relu(at, "hidden", add(at, "sum", second, stem));
    const deep = conv(at, "conv3", hidden, { to: 16, kernel: 3, stride: 2 });
    const last = relu(at, "last", batchNorm(at, "bn3", deep));
    return [HEADS["pool-linear"].head(inside(at, "linear"), last, classes, "logits")];
  }).graph;
}

/** A graph whose outputs are the logits of its exits. */
export const trainable = (graph: Graph): TrainableModel => ({
  graph,
  exits: graph.outputs.map(({ name }, k) => ({ name, logits: name, costFraction: (k + 1) / graph.outputs.length })),
});

/** The backbone with an early exit on "hidden". */
export const earlyExits = (seed = 0): Graph => attachExits(backbone(seed), ["hidden"], { seed });

/** Records of class k look like pattern k under noise; labels go round. */
export function patterns(count: number, { seed = 1, noise = 0.1 } = {}): Dataset {
  const shape = [3, SIDE, SIDE] as const;
  const size = sizeOf(shape);
  const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
  const data = new Float32Array(count * size);
  labels.forEach((label, record) => {
    const pattern = uniform({ seed: 0, sample: label, purpose: "test", step: 0 }, size, noise, 1 - noise);
    const change = uniform({ seed, sample: record, purpose: "test", step: 1 }, size, -noise, noise);
    pattern.forEach((v, i) => {
      data[record * size + i] = v + change[i];
    });
  });
  return inMemory({ name: "patterns", shape, classes: undefined, labels }, data);
}

export const CONFIG: TrainingConfig = {
  recipe: "joint",
  epochs: 2,
  batch: 8,
  seed: 1,
  optimizer: { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  decayAll: false,
  schedule: { kind: "one-cycle", peak: 0.05, warmup: 0.3, divisor: 10, finalDivisor: 100 },
  augment: { flip: false, crop: undefined, cutout: undefined },
  exitWeights: "ramp",
  labelSmoothing: 0,
  clipNorm: undefined,
  ema: undefined,
  statisticsMomentum: 0.1,
  distill: undefined,
  adversarial: undefined,
};

/** A run on 40 patterns, which is seconds at most. */
export function request(
  config: Partial<TrainingConfig> = {},
  rest: Partial<Omit<TrainingRequest, "config">> = {},
): TrainingRequest {
  return {
    model: trainable(earlyExits()),
    train: patterns(40),
    validation: patterns(20, { seed: 2 }),
    backend: ortNode({ threads: 1 }),
    config: { ...CONFIG, ...config },
    ...rest,
  };
}

/** Bytes of tensors by name, to compare runs with. */
export const bytesOf = (tensors: ReadonlyMap<string, Tensor>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...tensors].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
    ]),
  );

/** Run until `steps` steps are done, then stop; the state that was saved last. */
export async function stoppedAfter(steps: number, r: TrainingRequest): Promise<TrainingState> {
  const stop = new AbortController();
  let saved: TrainingState | undefined;
  const reason = new Error("stopped");
  const run = train({
    ...r,
    signal: stop.signal,
    onStep: ({ totalStep }) => {
      if (totalStep === steps) stop.abort(reason);
    },
    checkpoint: {
      everySeconds: Number.POSITIVE_INFINITY,
      save: async (state) => {
        saved = state;
      },
    },
  });
  await expect(run).rejects.toBe(reason);
  return saved as TrainingState;
}
