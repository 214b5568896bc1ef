/** @file Resolves the policy of a network: given, its own, or to be chosen on records that are not
 *  reported. */
import type { Dataset } from "../data/dataset.js";
import { type ReportRequest, reportedOf, splitReported } from "../data/split.js";
import type { DynamicModel } from "../dynamic/model/model.js";
import { makePolicy } from "../dynamic/route/policy.js";
import {
  type Fallback,
  NEVER_FIRES,
  type Policy,
  type Rule,
  singleExitPolicy,
  type Threshold,
  uniformPolicy,
} from "../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET } from "../schema/target.js";
import { isRoutable } from "../schema/units.js";

/** The source of the exit policy: given (or stored in the model), or chosen on a validation
 * split. */
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

/** The wishes of a user for the policy. The model's own policy replaces missing fields, and then
 * the default. */
export interface PolicyRequest {
  /** The rule. The default is the model's own rule, or max-softmax. */
  readonly rule?: Rule | undefined;
  /** The fallback. The default is the model's own fallback, or final. */
  readonly fallback?: Fallback | undefined;
  /** One threshold for all early exits, or one for each exit. */
  readonly thresholds?: readonly Threshold[] | undefined;
  /** The target for thresholds when none are given. */
  readonly target?: CalibrationTarget | undefined;
}

/** The data to report on, and the source of the policy. */
export interface ResolvedPolicy {
  readonly data: Dataset;
  /** The policy, or the records on which to choose one. */
  readonly policy: PolicyChoice;
}

/** Rule and fallback: from the request, else from the model, else max-softmax and final. */
export const ruleOf = (
  { rule, fallback }: PolicyRequest,
  { policy }: Pick<DynamicModel, "policy">,
): Pick<Policy, "rule" | "fallback"> => ({
  rule: rule ?? policy?.rule ?? "max-softmax",
  fallback: fallback ?? policy?.fallback ?? "final",
});

/** The policy, if the request or the model gives one, or if nothing needs to be chosen. Gates have
 * their own thresholds of 0, so a network with a single exit needs a choice only for a target.
 * @throws DynnError 'policy/value' */
export function givenPolicy(request: PolicyRequest, model: DynamicModel): Policy | undefined {
  const { rule, fallback } = ruleOf(request, model);
  const { exits, classes, policy } = model;
  const gates = policy?.gates ? { gates: policy.gates } : {};
  if (exits.length === 1 && (request.target === undefined || !isRoutable(model)))
    return { ...singleExitPolicy({ rule, fallback }), ...gates };
  if (request.thresholds) {
    const shape = { exits: exits.length, classes };
    return {
      ...makePolicy(shape, { rule, thresholds: request.thresholds, fallback, temperatures: policy?.temperatures }),
      ...gates,
    };
  }
  if (policy && request.rule === undefined && request.target === undefined) return { ...policy, fallback };
  return undefined;
}

/** Resolves data and policy together, because thresholds are never chosen on reported records.
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

/** The policy of a choice before its thresholds are known: no early exit fires. It has the rule,
 * which is what checks need. */
export const assumedPolicy = (choice: PolicyChoice, { exits }: Pick<DynamicModel, "exits">): Policy =>
  choice.kind === "fixed"
    ? choice.policy
    : uniformPolicy(choice.rule, choice.fallback, NEVER_FIRES[choice.rule], exits.length);
