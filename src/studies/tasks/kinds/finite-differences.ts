/** @file The task `finite-differences`: compares the gradient of a goal with finite differences
 *  along it, on records where the loss does not change its exit. Source: docs/study.md, assay
 *  checks. */
import { z } from "zod";
import type { Goal } from "../../../attacks/goals/goal.js";
import type { Evaluator } from "../../../attacks/oracle/evaluator.js";
import { type Sample, samplesOf } from "../../../attacks/sample.js";
import { attackConfigSchema, configureAttack, readsFull } from "../../../attacks/spec.js";
import { count } from "../../../schema/numbers.js";
import { dataRefSchema, networkRefSchema } from "../../../schema/study/references.js";
import type { SlopeRow } from "../../../schema/study/tables.js";
import { batchOf } from "../../batch.js";
import { taskKind } from "../kind.js";
import { withFull } from "./answers.js";
import { policyOf } from "./policy.js";

export const SLOPES_FILE = "slopes.parquet";

const parameters = z.strictObject({
  network: networkRefSchema,
  data: dataRefSchema,
  /** Its goal and loss are checked. */
  attack: attackConfigSchema,
  /** Number of records, from the first on. */
  samples: count.min(1),
  /** Of one image, for estimates. */
  macs: count,
});
export type SlopeParameters = z.infer<typeof parameters>;

/** Length of the step in L2, in pixel units. Shorter steps drown in the rounding of float32, and
 * longer ones see the curvature. */
const STEP = 1 / 255;

export const finiteDifferencesKind = taskKind<SlopeParameters>({
  name: "finite-differences",
  version: 1,
  parameters,
  inputs: ["networks", "policy"],
  cores: "one",
  macs: ({ samples, macs }) => 5 * samples * macs,
  run: async (_key, given, inputs, { bench, backend, signal, memory }) => {
    const { model: found, data, records, images: read } = await bench.open(given);
    const policy = await policyOf(inputs);
    const model = bench.under(found, policy);
    const { batch } = memory ?? batchOf({ model, backend, gradients: true, images: data.count });
    const { goal } = configureAttack(given.attack, { model, policy });
    const images = await read();
    const full = readsFull(given.attack) ? await bench.full(model, images, { batch, signal }) : undefined;
    const logits = withFull(await (await bench.forward(model)).logits(images, { batch, signal }), full);
    const evaluator = await bench.evaluator(model, undefined);
    const rows: SlopeRow[] = [];
    const samples = samplesOf({ images, labels: data.labels, logits }).slice(0, given.samples);
    for (const [i, sample] of samples.entries())
      rows.push({ sample: records[i], ...(await compared(sample, goal, evaluator)) });
    return { files: { [SLOPES_FILE]: { rows } } };
  },
});

/** Slope along the gradient: its norm, and the difference of two losses. */
async function compared(sample: Sample, goal: Goal, evaluator: Evaluator): Promise<Omit<SlopeRow, "sample">> {
  const [at] = goal.starts(sample);
  const loss = goal.losses[at];
  const label = goal.label(sample);
  const ask = async (image: Float32Array, gradient: boolean) => {
    const [reply] = await evaluator.evaluate([{ question: { image, loss, gradient }, sample, label }]);
    return {
      ...reply,
      gradient: reply.gradient.slice(),
      same: goal.follow === undefined || goal.follow(reply.logits, at) === at,
    };
  };
  const centre = await ask(sample.pixels, true);
  const norm = Math.hypot(...centre.gradient);
  const moved = (side: number) =>
    sample.pixels.map((pixel, k) => pixel + (side * STEP * centre.gradient[k]) / (norm || 1));
  const [up, down] = [await ask(moved(1), false), await ask(moved(-1), false)];
  return { gradient: norm, difference: (up.loss - down.loss) / (2 * STEP), same: up.same && down.same };
}
