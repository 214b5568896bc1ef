/** @file The options --rule, --threshold, --fallback and --validation, and the policy that they
 *  request. */

import type { Option } from "commander";
import { DynnError } from "../../core/errors.js";
import { parseQuantity } from "../../core/units.js";
import type { Dataset } from "../../data/dataset.js";
import type { FittedModel } from "../../data/fit.js";
import { type ReportSplit, splitReported } from "../../data/split.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { NEVER, type Threshold } from "../../schema/policy.js";
import { type CalibrationTarget, DEFAULT_TARGET, readShareTarget, TARGET_FORMS } from "../../schema/target.js";
import { givenPolicy, type PolicyRequest, type ResolvedPolicy, resolvePolicy } from "../../studies/policy.js";
import { type ClassFlags, openFitted } from "./class-options.js";
import { type CommonFlags, common, commons } from "./common-options.js";
import { listOf, option, type Reader, refuse } from "./options.js";

/** Thresholds, or the target by which they are chosen. */
type Choice = { readonly kind: "given"; readonly values: readonly Threshold[] } | CalibrationTarget;

export type RuleFlags = CommonFlags<never, "rule" | "fallback">;
export type SplitFlags = CommonFlags<"validationSamples", "validation"> & ClassFlags;

export interface PolicyFlags extends RuleFlags, SplitFlags {
  readonly threshold?: Choice;
}

const GIVEN_THRESHOLDS = "0.8 | 0.8,0.7,never,... (one per early exit)";

export const policyOptions = (): Option[] => [
  common("rule"),
  option(
    "--threshold <t>",
    `${GIVEN_THRESHOLDS} | ${TARGETS} (default: the model's own, else keep:95%)`,
    readThreshold,
  ),
  ...commons("fallback", "validation", "validationSamples"),
];

/** The records and the policy that the call requests.
 * @param samples the number of records to report; undefined for as many as suit
 * @throws DynnError 'cli/usage', 'policy/value', 'policy/validation', 'data/spec' */
export async function resolvePolicyFlags(
  flags: PolicyFlags,
  model: DynamicModel,
  data: Dataset,
  samples: number | undefined,
  seed: number,
): Promise<ResolvedPolicy> {
  const request = policyRequest(flags);
  const { validation: spec, validationSamples } = flags;
  if (spec !== undefined && givenPolicy(request, model))
    throw new DynnError(
      "cli/usage",
      `--validation ${spec}: the ${flags.threshold ? "call" : "model"} gives all thresholds, so validation records are not needed. Leave --validation out, or add --threshold keep:95%.`,
      { validation: spec },
    );
  const validation = spec === undefined ? undefined : await openFitted(model, spec, flags);
  return resolvePolicy(model, data, { ...request, samples, validation, validationSamples, seed });
}

/** The policy request of the flags. */
export const policyRequest = ({ rule, fallback, threshold }: PolicyFlags): PolicyRequest => ({
  rule,
  fallback,
  ...(threshold?.kind === "given" ? { thresholds: threshold.values } : { target: threshold }),
});

/** The records to report, and other records to choose thresholds on.
 * @throws DynnError 'policy/validation', 'data/spec' */
export const splitRecords = async (
  flags: SplitFlags,
  model: FittedModel,
  data: Dataset,
  samples: number | undefined,
  seed: number,
): Promise<ReportSplit> =>
  splitReported(data, {
    samples,
    validation: flags.validation === undefined ? undefined : await openFitted(model, flags.validation, flags),
    validationSamples: flags.validationSamples,
    seed,
  });

const readThreshold: Reader<Choice> = (text, where) => {
  const target = readShareTarget(text, where);
  if (target) return target;
  const values = text.split(",").map((part) => (part.trim() === NEVER ? NEVER : quantityOrNaN(part)));
  if (values.some(Number.isNaN))
    throw refuse(
      where,
      text,
      "numbers, never, keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE",
      `Write e.g. ${where} 0.8 or ${where} keep:95%`,
    );
  return { kind: "given", values };
};

/** Thresholds only, for commands that do not choose thresholds. */
export const thresholdsOption = (about: string): Option =>
  option(
    "--threshold <t>",
    `${GIVEN_THRESHOLDS}${about}`,
    listOf((text, where) => (text === NEVER ? NEVER : parseQuantity(text, where))),
  );

/** The option --target, by default {@link DEFAULT_TARGET}.
 * @param about its text */
export const targetOption = (about: string, read: Reader<CalibrationTarget>): Option =>
  option("--target <goal>", about, read).default(DEFAULT_TARGET, "keep:95%");

/** The forms of a target in the help. */
export const TARGETS = Object.values(TARGET_FORMS).join(" | ");

/** A target that needs no measured time. */
export const readShares: Reader<CalibrationTarget> = (text, where) => {
  const target = readShareTarget(text, where);
  if (target) return target;
  throw refuse(where, text, "keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE", `Write e.g. ${where} keep:95%`);
};

/** Any target. */
export const readTarget: Reader<CalibrationTarget> = (text, where) => {
  const [, amount] = /^latency:(.*?)\s*(?:ms)?$/.exec(text) ?? [];
  if (amount === undefined) {
    const target = readShareTarget(text, where);
    if (target) return target;
    throw refuse(
      where,
      text,
      "keep:SHARE, rad:SHARE, drop:POINTS, budget:SHARE or latency:MILLISECONDS",
      `Write e.g. ${where} keep:95%`,
    );
  }
  const milliseconds = quantityOrNaN(amount);
  if (milliseconds > 0) return { kind: "latency", milliseconds };
  throw refuse(where, text, "a mean time above 0 in milliseconds", `Write e.g. ${where} latency:2ms`);
};

function quantityOrNaN(text: string): number {
  try {
    return parseQuantity(text, "");
  } catch {
    return Number.NaN;
  }
}
