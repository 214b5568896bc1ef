/** @file The task `thresholds`: chooses the policy of a network on validation records, for all its
 *  exits or for some of them. */
import { z } from "zod";
import { Logits } from "../../../core/logits.js";
import { readNpy } from "../../../data/npy.js";
import { readParquet } from "../../../data/parquet.js";
import { calibrate, type Measured } from "../../../dynamic/choose/calibrate.js";
import { count, share } from "../../../schema/numbers.js";
import { FALLBACKS, type Policy, policySchema, RULES, singleExitPolicy } from "../../../schema/policy.js";
import { ANSWER_COLUMNS } from "../../../schema/study/tables.js";
import { targetSchema } from "../../../schema/target.js";
import { type TaskInputs, taskKind } from "../kind.js";
import { ANSWERS_FILE, LOGITS_FILE } from "./answers.js";
import { only } from "./opened.js";

export const POLICY_FILE = "policy.json";

const parameters = z.strictObject({
  rule: z.enum(RULES),
  fallback: z.enum(FALLBACKS),
  temperatures: z.array(z.number().positive()).optional(),
  target: targetSchema,
  costs: z.array(share).min(1).describe("cost of each exit of the network, as a share of the final exit's"),
  exits: z.array(count).min(1).optional().describe("the exits that are kept, the final one last; absent: all"),
});
export type ThresholdParameters = z.infer<typeof parameters>;

export const thresholdsKind = taskKind<ThresholdParameters>({
  name: "thresholds",
  version: 1,
  about: "chooses thresholds on the answers for validation records",
  parameters,
  inputs: ["answers"],
  cores: "one",
  macs: () => 0,
  run: async (_key, given, inputs) => {
    const policy = choose(await measured(inputs, given), given);
    return { files: { [POLICY_FILE]: new TextEncoder().encode(`${JSON.stringify(policy)}\n`) } };
  },
});

/** The policy for the kept exits, on their logits for validation records. */
export function choose(validation: Measured, { costs, exits, ...request }: ThresholdParameters): Policy {
  const kept = exits ?? costs.map((_, k) => k);
  if (kept.length === 1) return singleExitPolicy(request.rule, request.fallback);
  return calibrate(validation, { ...request, costs: kept.map((k) => costs[k]) }).policy;
}

/** Reads the policy of a finished task. */
export const readPolicy = (bytes: Uint8Array): Policy =>
  policySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));

async function measured(inputs: TaskInputs, { exits }: Pick<ThresholdParameters, "exits">): Promise<Measured> {
  const logits = readNpy(await only(inputs, "answers", LOGITS_FILE), LOGITS_FILE);
  const [all, n, classes] = logits.dims;
  const rows = await readParquet(await only(inputs, "answers", ANSWERS_FILE), ANSWER_COLUMNS, ANSWERS_FILE);
  const kept = exits ?? Array.from({ length: all }, (_, k) => k);
  const data = logits.data as Float32Array;
  return {
    logits: new Logits(
      kept.map((k) => data.subarray(k * n * classes, (k + 1) * n * classes)),
      classes,
    ),
    labels: rows.filter(({ exit }) => exit === 0).map(({ label }) => label),
  };
}
