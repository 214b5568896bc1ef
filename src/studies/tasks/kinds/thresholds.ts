/** @file The task `thresholds`: chooses the policy of a network on validation records, for all its
 *  exits or for some of them. */
import { z } from "zod";
import { present } from "../../../core/present.js";
import { calibrate, type Measured } from "../../../dynamic/choose/calibrate.js";
import { count } from "../../../schema/numbers.js";
import { FALLBACKS, type Policy, policySchema, RULES, singleExitPolicy } from "../../../schema/policy.js";
import { ANSWER_COLUMNS } from "../../../schema/study/tables.js";
import { targetSchema } from "../../../schema/target.js";
import { type TaskInputs, taskKind } from "../kind.js";
import { ANSWERS_FILE, LOGITS_FILE, logitsOf } from "./answers.js";

export const POLICY_FILE = "policy.json";

const parameters = z.strictObject({
  rule: z.enum(RULES),
  fallback: z.enum(FALLBACKS),
  temperatures: z.array(z.number().positive()).optional(),
  target: targetSchema,
  costs: z.array(z.number().min(0)).min(1).describe("cost of each exit of the network, as a share of the final exit's"),
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
    return { files: { [POLICY_FILE]: policyBytes(policy) } };
  },
});

/** The policy for the kept exits, on their logits for validation records. */
export function choose(validation: Measured, { costs, exits, ...request }: ThresholdParameters): Policy {
  const kept = exits ?? costs.map((_, k) => k);
  if (kept.length === 1) return singleExitPolicy(request.rule, request.fallback);
  return calibrate(validation, { ...request, costs: kept.map((k) => costs[k]) }).policy;
}

export const policyBytes = (policy: Policy): Uint8Array => new TextEncoder().encode(`${JSON.stringify(policy)}\n`);

/** Reads the policy of a finished task. */
export const readPolicy = (bytes: Uint8Array): Policy =>
  policySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));

/** The policy of an input, or that of a network with one exit. */
export async function policyOf(inputs: TaskInputs, name = "policy"): Promise<Policy> {
  const [file] = await inputs.files(name, POLICY_FILE);
  return file ? readPolicy(file) : singleExitPolicy();
}

async function measured(inputs: TaskInputs, { exits }: Pick<ThresholdParameters, "exits">): Promise<Measured> {
  const [logits] = await inputs.arrays("answers", LOGITS_FILE);
  const [rows] = await inputs.tables("answers", ANSWERS_FILE, ANSWER_COLUMNS);
  return {
    logits: logitsOf(present(logits, "the logits of the input"), exits),
    labels: present(rows, "the answers of the input").flatMap(({ exit, label }) => (exit === 0 ? [label] : [])),
  };
}
