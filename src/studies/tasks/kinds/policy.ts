/** @file The task `policy`: states a policy that is given, for tasks that read one. */
import { z } from "zod";
import { type Policy, policySchema } from "../../../schema/policy.js";
import { taskKind } from "../kind.js";
import { jsonBytes, POLICY_FILE } from "./thresholds.js";

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

/** The fields of a policy, as parameters hold them. */
export const stated = ({ rule, thresholds, fallback, temperatures }: Policy): z.infer<typeof policySchema> => ({
  ...{ rule, thresholds: [...thresholds], fallback },
  ...(temperatures ? { temperatures: [...temperatures] } : {}),
});
