/** @file Attacks as a caller of the library runs them, on networks small enough to work out by
 *  hand: exits that are linear in the pixels. */

import { aimed, type SampleOutcome } from "../../src/attacks/attack.js";
import type { Victim } from "../../src/attacks/goals/victim.js";
import type { Task } from "../../src/attacks/methods/method.js";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import type { Evaluation } from "../../src/attacks/question.js";
import { runAttack } from "../../src/attacks/runner.js";
import type { Sample } from "../../src/attacks/sample.js";
import { type AttackConfig, configureAttack } from "../../src/attacks/spec.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import type { Normalization } from "../../src/schema/normalization.js";
import { OPSET } from "./models.js";

/** One exit: a row of weights and a bias for each class. */
export interface LinearExit {
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

/** Exits over [n, d, 1, 1] images, in the order given: logits = W (x - mean) / std + bias. */
export function linearExits(exits: readonly LinearExit[], normalization?: Normalization): DynamicModel {
  const d = exits[0]?.weights[0]?.length ?? 0;
  const b = new GraphBuilder(emptyGraph("linear", OPSET));
  const flat = b.op("Flatten", [b.input("image", "float32", ["n", d, 1, 1])]);
  exits.forEach(({ weights, bias }, k) => {
    const columns = Array.from({ length: d }, (_, i) => weights.map((row) => row[i] ?? 0)).flat();
    const w = b.constant({ dtype: "float32", dims: [d, bias.length], data: Float32Array.from(columns) });
    const c = b.constant({ dtype: "float32", dims: [bias.length], data: Float32Array.from(bias) });
    b.output(b.op("Gemm", [flat, w, c], {}, `exit${k}`), "float32", undefined);
  });
  const names = exits.map((_, k) => ({ name: `exit${k}`, logits: `exit${k}` }));
  const metadata = new Map([["dynn.exits", JSON.stringify(names)]]);
  return dynamicModel({ graph: b.build(), metadata }, normalization ? { normalization } : {});
}

/** The logits of {@link linearExits}, from their definition. */
export const logitsAt = (
  exits: readonly LinearExit[],
  image: ArrayLike<number>,
  { mean, std }: Normalization = { mean: [], std: [] },
): number[][] =>
  exits.map(({ weights, bias }) =>
    weights.map((row, j) =>
      row.reduce((sum, w, i) => sum + (w * (image[i] - (mean[i] ?? 0))) / (std[i] ?? 1), bias[j]),
    ),
  );

/** A sample of {@link linearExits}; left out, its label is that of the final exit. */
export function linearSample(
  exits: readonly LinearExit[],
  pixels: readonly number[],
  { id = 0, label, normalization }: { id?: number; label?: number; normalization?: Normalization } = {},
): Sample {
  const image = Float32Array.from(pixels);
  const clean = logitsAt(exits, image, normalization).map((row) => Float32Array.from(row));
  const final = clean.at(-1) as Float32Array;
  return { id, pixels: image, clean, label: label ?? final.indexOf(Math.max(...final)) };
}

export interface RunWith {
  readonly seed?: number;
  readonly batch?: number;
  readonly backend?: Backend;
}

/** Attack samples as an entry of an attack file says. */
export function attackWith(
  victim: Victim,
  samples: readonly Sample[],
  config: Omit<AttackConfig, "name">,
  { seed = 3, batch = 64, backend = referenceBackend }: RunWith = {},
): Promise<SampleOutcome[]> {
  const attack = configureAttack({ name: "t", ...config }, victim);
  return runAttack(attack, samples, { evaluator: new Evaluator(victim.model, { backend }), seed, batch });
}

/** A loss of an attack at an image, with its gradient.
 * @param index which of the attack's losses */
export async function lossAt(
  victim: Victim,
  config: Omit<AttackConfig, "name">,
  sample: Sample,
  image: readonly number[],
  index = 0,
): Promise<{ readonly loss: number; readonly gradient: readonly number[] }> {
  const attack = configureAttack({ name: "t", ...config }, victim);
  const { goal } = attack;
  const question = { image: Float32Array.from(image), loss: goal.losses[index], gradient: true };
  const [target] = aimed(attack, [sample], 0);
  const asked = { question, sample: target, label: goal.label(sample) };
  const [found] = await new Evaluator(victim.model, { backend: referenceBackend }).evaluate([asked]);
  return { loss: found?.loss ?? Number.NaN, gradient: Array.from(found?.gradient ?? []) };
}

/** What a search asks at once, and where the images stand. */
export interface AskedBatch {
  readonly images: readonly Float32Array[];
  /** Whether each image meets the goal. */
  readonly met: readonly boolean[];
}

/** The questions of a search for one sample on {@link linearExits} of one exit, answered from the definition. The loss is
 *  the margin.
 * @param most the most batches of questions */
export function questionsOf(
  exit: LinearExit,
  sample: Sample,
  config: Omit<AttackConfig, "name">,
  most: number,
): AskedBatch[] {
  const victim: Victim = {
    model: linearExits([exit]),
    policy: { rule: "max-softmax", thresholds: [], fallback: "final" },
  };
  const attack = configureAttack({ name: "t", ...config }, victim);
  const task: Task = {
    ...attack,
    sample,
    set: [sample],
    seed: 3,
    dims: [sample.pixels.length, 1, 1],
    withLoss: () => task,
  };
  const search = attack.method.start([task]);
  const asked: AskedBatch[] = [];
  let step = search.next();
  while (!step.done && asked.length < most) {
    const images = step.value.map(({ image }) => Float32Array.from(image));
    const replies = images.map((image) => marginAt(exit, sample.label, image));
    asked.push({ images, met: replies.map(({ logits: [row] }) => attack.goal.succeeded(sample, { logits: [row] })) });
    step = search.next(replies);
  }
  return asked;
}

function marginAt({ weights, bias }: LinearExit, label: number, image: Float32Array): Evaluation {
  const row = Float32Array.from(logitsAt([{ weights, bias }], image)[0]);
  const others = [...row.keys()].filter((k) => k !== label);
  const rival = others.reduce((a, b) => (row[b] > row[a] ? b : a));
  const gradient = Float32Array.from(weights[rival], (w, i) => w - weights[label][i]);
  return { loss: row[rival] - row[label], gradient, logits: [row] };
}
