/** @file Attacks on the small network with gates of gated.ts: its samples, and what it does with an image. */
import type { Victim } from "../../src/attacks/goals/victim.js";
import { type Sample, samplesOf } from "../../src/attacks/sample.js";
import { Images } from "../../src/core/images.js";
import { Logits } from "../../src/core/logits.js";
import type { DynamicModel } from "../../src/dynamic/model/model.js";
import { openGates } from "../../src/dynamic/model/open-gates.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import type { Policy } from "../../src/schema/policy.js";
import { type GatedOptions, gatedImages, gatedModel } from "./gated.js";

export const backend = ortNode({ threads: 1 });

export interface GatedVictim extends GatedOptions {
  /** Thresholds of exits. */
  readonly thresholds?: readonly number[];
  /** Thresholds of gates. */
  readonly gates?: readonly number[] | undefined;
}

/** The network under a policy. */
export function gatedVictim({ thresholds = [], gates, ...options }: GatedVictim = {}): Victim {
  const policy: Policy = {
    rule: "max-softmax",
    thresholds,
    fallback: "final",
    ...(gates ? { gates: { thresholds: gates } } : {}),
  };
  return { model: underPolicy(gatedModel(options), policy), policy };
}

/** What the network gives for images. */
export async function run(model: DynamicModel, pixels: Float32Array): Promise<Logits> {
  const forward = await Forward.compile(model, { backend });
  const logits = await forward.logits(Images.for(model, pixels), { batch: 16 });
  await forward.release();
  return logits;
}

/** Every exit and gate, and the final exit with every gate open. */
export async function runFull(model: DynamicModel, pixels: Float32Array): Promise<Logits> {
  const { exits, gates, classes } = await run(model, pixels);
  return new Logits(exits, classes, gates, (await run(openGates(model), pixels)).exits.at(-1));
}

/** Samples whose labels are those of the final exit. */
export async function gatedSamples({ model }: Victim, count: number, seed = 3): Promise<Sample[]> {
  const pixels = gatedImages(count, seed);
  const logits = await runFull(model, pixels);
  const last = logits.exits.length - 1;
  const labels = Array.from({ length: count }, (_, i) => {
    const row = logits.row(last, i);
    return row.indexOf(Math.max(...row));
  });
  return samplesOf({ images: Images.for(model, pixels), labels, logits });
}

/** Pixels of several images in one array. */
export const stacked = (images: readonly Float32Array[]): Float32Array =>
  Float32Array.from(images.flatMap((image) => [...image]));
