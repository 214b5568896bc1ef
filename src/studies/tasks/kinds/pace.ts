/** @file The task `pace`: the time of the same attack on several networks. The networks take turns,
 *  so that a slower machine affects all of them. Source: docs/method.md, timing. */
import { z } from "zod";
import { type Attack, aimed } from "../../../attacks/attack.js";
import { Evaluator } from "../../../attacks/oracle/evaluator.js";
import { runAttack } from "../../../attacks/runner.js";
import { type Sample, samplesOf } from "../../../attacks/sample.js";
import { attackConfigSchema, configureAttack, readsFull } from "../../../attacks/spec.js";
import { count } from "../../../schema/numbers.js";
import { singleExitPolicy } from "../../../schema/policy.js";
import { dataRefSchema, networkRefSchema } from "../../../schema/study/references.js";
import type { PaceRow } from "../../../schema/study/tables.js";
import { batchOf } from "../../batch.js";
import { type RunningContext, type TaskInputs, taskKind } from "../kind.js";
import { withFull } from "./answers.js";
import { POLICY_FILE, readPolicy } from "./policy.js";

export const PACE_FILE = "pace.parquet";

const parameters = z.strictObject({
  contestants: z
    .array(
      z.strictObject({
        network: networkRefSchema,
        attack: attackConfigSchema,
        /** Place of its policy in the input; null: it has one exit. */
        policy: count.nullable(),
      }),
    )
    .min(2),
  data: dataRefSchema,
  rounds: count.min(1),
  seed: count,
  /** Of all rounds, for estimates. */
  macs: count,
});
export type PaceParameters = z.infer<typeof parameters>;

export const paceKind = taskKind<PaceParameters>({
  name: "pace",
  version: 1,
  parameters,
  inputs: ["networks", "policies"],
  measuresTime: true,
  cores: "all",
  macs: ({ macs }) => macs,
  run: async (_key, given, inputs, context) => {
    const contestants = await opened(given, inputs, context);
    const rows: PaceRow[] = [];
    try {
      for (let round = 0; round < given.rounds; round++) {
        const order = round % 2 === 0 ? contestants : [...contestants].reverse();
        for (const contestant of order) rows.push(await timed(contestant, round, given, context));
        context.onProgress?.(round + 1, given.rounds);
      }
    } finally {
      for (const { evaluator } of contestants) await evaluator.release();
    }
    return { files: { [PACE_FILE]: { rows } } };
  },
});

interface Contestant {
  readonly place: number;
  readonly attack: Attack;
  readonly samples: readonly Sample[];
  readonly evaluator: Evaluator;
  readonly batch: number;
}

async function opened(given: PaceParameters, inputs: TaskInputs, context: RunningContext): Promise<Contestant[]> {
  const policies = (await inputs.files("policies", POLICY_FILE)).map(readPolicy);
  const contestants: Contestant[] = [];
  for (const [place, { network, attack: config, policy: at }] of given.contestants.entries()) {
    const { backend, bench, signal } = context;
    const policy = at === null ? singleExitPolicy() : policies[at];
    const { model: found, data, records, images: read } = await bench.open({ network, data: given.data });
    const model = bench.under(found, policy);
    const { batch } = context.memory ?? batchOf({ model, backend, gradients: true, images: data.count });
    const attack = configureAttack(config, { model, policy });
    const images = await read();
    const full = readsFull(config) ? await bench.full(model, images, { batch, signal }) : undefined;
    const logits = withFull(await (await bench.forward(model)).logits(images, { batch, signal }), full);
    const samples = samplesOf({ images, labels: data.labels, logits }).map((s, i) => ({ ...s, id: records[i] }));
    const evaluator = new Evaluator(model, { backend });
    contestants.push({ place, attack, samples: aimed(attack, samples, given.seed), evaluator, batch });
  }
  return contestants;
}

async function timed(
  { place, attack, samples, evaluator, batch }: Contestant,
  round: number,
  { seed }: PaceParameters,
  { signal, now }: RunningContext,
): Promise<PaceRow> {
  const from = now();
  await runAttack(attack, samples, { evaluator, seed, batch, signal });
  return { contestant: place, round, seconds: (now() - from) / 1000, samples: samples.length };
}
