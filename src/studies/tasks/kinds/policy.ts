/** @file The policy of a network as a file of a result. The task `policy` states a policy that is
 *  given, for tasks that read one. */
import { z } from "zod";
import { type Policy, policySchema, singleExitPolicy } from "../../../schema/policy.js";
import { type TaskInputs, taskKind } from "../kind.js";

export const POLICY_FILE = "policy.json";

const parameters = z.strictObject({ policy: policySchema });
export type PolicyParameters = z.infer<typeof parameters>;

export const policyKind = taskKind<PolicyParameters>({
  name: "policy",
  version: 1,
  parameters,
  inputs: [],
  cores: "one",
  macs: () => 0,
  run: async (_key, { policy }) => ({ files: { [POLICY_FILE]: jsonBytes(policy) } }),
});

/** JSON as the bytes of a file. */
export const jsonBytes = (value: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

/** Reads the policy of a finished task. */
export const readPolicy = (bytes: Uint8Array): Policy =>
  policySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));

/** The policy of an input, or that of a network with one exit. */
export async function policyOf(inputs: TaskInputs, name = "policy"): Promise<Policy> {
  const [file] = await inputs.files(name, POLICY_FILE);
  return file ? readPolicy(file) : singleExitPolicy();
}
