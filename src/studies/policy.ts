/** @file The policy that a network runs under: given, its own, or to be chosen on records that are not reported. */
import type { Dataset } from "../data/dataset.js";
import { type ReportRequest, reportedOf, splitReported } from "../data/split.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { makePolicy } from "../dynamic/route/policy.js";
import { type Fallback, type Policy, type Rule, singleExitPolicy, type Threshold } from "../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET } from "../schema/target.js";

/** Where the exit policy comes from: given (or stored in the model), or chosen on a validation split. */
export type PolicyChoice =
  | { readonly kind: "fixed"; readonly policy: Policy }
  | {
      readonly kind: "calibrated";
      readonly rule: Rule;
      readonly fallback: Fallback;
      readonly temperatures?: Policy["temperatures"];
      readonly target: CalibrationTarget;
      readonly validation: Dataset;
    };

/** What is asked of a policy; what is left out is the model's own, else the default. */
export interface PolicyRequest {
  /** Left out: the model's, or max-softmax. */
  readonly rule?: Rule | undefined;
  /** Left out: the model's, or final. */
  readonly fallback?: Fallback | undefined;
  /** One threshold for all early exits, or one for each. */
  readonly thresholds?: readonly Threshold[] | undefined;
  /** What thresholds are chosen by, where none are given. */
  readonly target?: CalibrationTarget | undefined;
}

/** The data to report on, and where the policy comes from. */
export interface ResolvedPolicy {
  readonly data: Dataset;
  /** The policy, or the records that one is chosen on. */
  readonly policy: PolicyChoice;
}

/** Rule and fallback: those asked for, else the model's, else max-softmax and final. */
export const ruleOf = (
  { rule, fallback }: PolicyRequest,
  { policy }: Pick<DynamicModel, "policy">,
): Pick<Policy, "rule" | "fallback"> => ({
  rule: rule ?? policy?.rule ?? "max-softmax",
  fallback: fallback ?? policy?.fallback ?? "final",
});

/** The policy, where the request or the model gives it or there is no early exit; else undefined.
 * @throws DynnError 'policy/value' */
export function givenPolicy(request: PolicyRequest, model: DynamicModel): Policy | undefined {
  const { rule, fallback } = ruleOf(request, model);
  const { exits, classes, policy } = model;
  if (exits.length === 1) return singleExitPolicy(rule, fallback);
  if (request.thresholds)
    return makePolicy(rule, request.thresholds, fallback, { exits: exits.length, classes }, policy?.temperatures);
  if (policy && request.rule === undefined && request.target === undefined) return { ...policy, fallback };
  return undefined;
}

/** Resolve data and policy together: thresholds are never chosen on reported records.
 * @throws DynnError 'policy/value', 'policy/validation' */
export async function resolvePolicy(
  model: DynamicModel,
  data: Dataset,
  request: PolicyRequest & ReportRequest,
): Promise<ResolvedPolicy> {
  const policy = givenPolicy(request, model);
  if (policy) return { data: reportedOf(data, request.samples), policy: { kind: "fixed", policy } };
  const { reported, validation } = await splitReported(data, request);
  const target = request.target ?? DEFAULT_TARGET;
  const temperatures = model.policy?.temperatures;
  return {
    data: reported,
    policy: { kind: "calibrated", ...ruleOf(request, model), temperatures, target, validation },
  };
}
