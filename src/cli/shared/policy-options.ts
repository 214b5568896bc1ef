/** @file --rule, --threshold, --fallback and --validation: from options to the policy choice of an audit. */

import { type Command, Option } from "commander";
import { DynnError } from "../../core/errors.js";
import { parseQuantity } from "../../core/units.js";
import { type Dataset, MIN_VALIDATION, splitValidation, subset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { makePolicy } from "../../dynamic/route/policy.js";
import { openDataset } from "../../node/data/open.js";
import {
  FALLBACKS,
  type Fallback,
  NEVER,
  type Policy,
  RULES,
  type Rule,
  singleExitPolicy,
  type Threshold,
} from "../../schema/policy.js";
import type { CalibrationTarget } from "../../schema/target.js";
import { DEFAULT_TARGET } from "../../schema/target.js";
import type { PolicyChoice } from "../../studies/audit/index.js";
import { fingerprints } from "./fingerprints.js";
import { listOf, oneOf, option, type Reader, refuse, whole } from "./options.js";

/** Thresholds, or what to choose them by. */
type Choice = { readonly kind: "given"; readonly values: readonly Threshold[] } | CalibrationTarget;

export interface RuleFlags {
  readonly rule?: Rule;
  readonly fallback?: Fallback;
}

export interface SplitFlags {
  readonly validation?: string;
  readonly validationSamples: number;
}

export interface PolicyFlags extends RuleFlags, SplitFlags {
  readonly threshold?: Choice;
}

const GIVEN_THRESHOLDS = "0.8 | 0.8,0.7,never,... (one per early exit)";

export const addPolicyOptions = (command: Command): Command => {
  command
    .addOption(ruleOption())
    .addOption(
      option(
        "--threshold <t>",
        `${GIVEN_THRESHOLDS} | rad:5% (cheapest that keeps 95 % of the final accuracy) | budget:50% (most accurate at half the cost) (default: the model's own, else rad:5%)`,
        readThreshold,
      ),
    )
    .addOption(fallbackOption());
  return addSplitOptions(command);
};

export const ruleOption = (): Option =>
  option("--rule <name>", `exit rule: ${RULES.join(", ")} (default: the model's own, else max-softmax)`, oneOf(RULES));

export const fallbackOption = (): Option =>
  option(
    "--fallback <name>",
    `answer when no early exit fires: ${FALLBACKS.join(" or ")} (default: the model's own, else final)`,
    oneOf(FALLBACKS),
  );

export const addSplitOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--validation <spec>",
        "data to choose thresholds on (default: records of --data that are not reported)",
      ),
    )
    .addOption(option("--validation-samples <n>", "how many of them", whole(MIN_VALIDATION, 1000)).default(1000));

/** The data to report on, and how its policy is settled. */
export interface Settled {
  readonly data: Dataset;
  readonly policy: PolicyChoice;
}

/** Settle data and policy together: thresholds are never chosen on reported records.
 * @param samples how many to report; undefined: as many as suit
 * @throws DynnError 'cli/usage', 'policy/value', 'policy/validation', 'data/spec' */
export async function settle(
  flags: PolicyFlags,
  model: DynamicModel,
  data: Dataset,
  samples: number | undefined,
  seed: number,
): Promise<Settled> {
  const wanted = policyOrTarget(flags, model);
  if ("rule" in wanted) {
    if (flags.validation === undefined)
      return { data: first(data, samples ?? DEFAULT_SAMPLES), policy: { kind: "fixed", policy: wanted } };
    throw new DynnError(
      "cli/usage",
      `--validation ${flags.validation}: no threshold is to be chosen, the ${flags.threshold ? "call" : "model"} gives them all. Leave it out, or add --threshold rad:5%.`,
      { validation: flags.validation },
    );
  }
  const { reported, validation } = await splitRecords(flags, data, samples, seed);
  const temperatures = model.policy?.temperatures;
  const policy = { kind: "calibrated", ...ruleOf(flags, model), temperatures, target: wanted, validation } as const;
  return { data: reported, policy };
}

/** Rule and fallback: those of the call, else the model's. */
export const ruleOf = (flags: RuleFlags, { policy }: DynamicModel): Pick<Policy, "rule" | "fallback"> => ({
  rule: flags.rule ?? policy?.rule ?? "max-softmax",
  fallback: flags.fallback ?? policy?.fallback ?? "final",
});

/** The policy, when the model or the call gives it or there is no early exit; else what to choose it by. */
function policyOrTarget(flags: PolicyFlags, model: DynamicModel): Policy | CalibrationTarget {
  const { rule, fallback } = ruleOf(flags, model);
  if (model.exits.length === 1) return singleExitPolicy(rule, fallback);
  if (model.policy && flags.rule === undefined && flags.threshold === undefined) return { ...model.policy, fallback };
  const threshold = flags.threshold ?? DEFAULT_TARGET;
  if (threshold.kind !== "given") return threshold;
  const { exits, classes } = model;
  return makePolicy(rule, threshold.values, fallback, { exits: exits.length, classes }, model.policy?.temperatures);
}

/** Reported when nothing is said. */
const DEFAULT_SAMPLES = 1000;

const first = (data: Dataset, count: number): Dataset =>
  subset(
    data,
    Array.from({ length: Math.min(count, data.count) }, (_, i) => i),
  );

export interface Split {
  readonly reported: Dataset;
  readonly validation: Dataset;
}

/** Records to report on and records to choose thresholds on. No image is in both, whatever the data are called and however often it is
 *  among them.
 * @param samples how many to report; undefined: as many as suit
 * @throws DynnError 'policy/validation', 'data/spec' */
export async function splitRecords(
  { validation, validationSamples }: SplitFlags,
  data: Dataset,
  samples: number | undefined,
  seed: number,
): Promise<Split> {
  if (validation !== undefined) {
    const reported = first(data, samples ?? DEFAULT_SAMPLES);
    const other = first(await openDataset(validation), validationSamples + reported.count);
    const parts = { reported, candidates: other, wanted: validationSamples };
    return keepApart(parts, `--validation ${other.name}`, ", or leave --validation out");
  }
  const count =
    samples ?? Math.max(1, Math.min(DEFAULT_SAMPLES, Math.floor(data.count / 2), data.count - MIN_VALIDATION));
  const split = splitValidation(data, { reported: count, validation: validationSamples, seed });
  const parts = { reported: split.reported, candidates: split.validation, wanted: validationSamples };
  return keepApart(parts, data.name, "");
}

/** Those of the candidates that are not reported. One image may stand in the data twice, under one name or two, so it is the images that are
 *  compared.
 * @throws DynnError 'policy/validation' when too few records are left */
async function keepApart(
  {
    reported,
    candidates,
    wanted,
  }: { readonly reported: Dataset; readonly candidates: Dataset; readonly wanted: number },
  where: string,
  remedy: string,
): Promise<Split> {
  const seen = new Set(await fingerprints(reported));
  const prints = await fingerprints(candidates);
  const fresh = [...prints.keys()].filter((i) => !seen.has(prints[i] as string)).slice(0, wanted);
  if (fresh.length >= MIN_VALIDATION) return { reported, validation: subset(candidates, fresh) };
  throw new DynnError(
    "policy/validation",
    `${where}: ${fresh.length} of its images are not among those reported, expected at least ${MIN_VALIDATION} to choose thresholds on. Name other data${remedy} and report fewer records.`,
    { name: candidates.name, fresh: fresh.length },
  );
}

const readThreshold: Reader<Choice> = (text, where) => {
  const target = shareTarget(text, where);
  if (target) return target;
  const values = text.split(",").map((part) => (part.trim() === NEVER ? NEVER : quantityOrNaN(part)));
  if (values.some(Number.isNaN))
    throw refuse(
      where,
      text,
      "numbers, never, rad:SHARE or budget:SHARE",
      `Write e.g. ${where} 0.8 or ${where} rad:5%`,
    );
  return { kind: "given", values };
};

/** Thresholds alone, for commands that choose none. */
export const thresholdsOption = (about: string): Option =>
  option(
    "--threshold <t>",
    `${GIVEN_THRESHOLDS}${about}`,
    listOf((text, where) => (text === NEVER ? NEVER : parseQuantity(text, where))),
  );

/** What `dynn calibrate` chooses by. */
export const readTarget: Reader<CalibrationTarget> = (text, where) => {
  const [, amount] = /^latency:(.*?)\s*(?:ms)?$/.exec(text) ?? [];
  if (amount === undefined) {
    const target = shareTarget(text, where);
    if (target) return target;
    throw refuse(where, text, "rad:SHARE, budget:SHARE or latency:MILLISECONDS", `Write e.g. ${where} rad:5%`);
  }
  const milliseconds = quantityOrNaN(amount);
  if (milliseconds > 0) return { kind: "latency", milliseconds };
  throw refuse(where, text, "a mean time above 0 in milliseconds", `Write e.g. ${where} latency:2ms`);
};

/** "rad:5%" or "budget:50%"; undefined for what is neither. */
function shareTarget(text: string, where: string): CalibrationTarget | undefined {
  const [, kind, amount = ""] = /^(rad|budget):(.*)$/.exec(text) ?? [];
  const value = quantityOrNaN(amount);
  if (kind === undefined || Number.isNaN(value)) return undefined;
  if (value > 0 && value <= 1) return kind === "rad" ? { kind, loss: value } : { kind: "budget", cost: value };
  throw refuse(
    where,
    text,
    "a share above 0 and up to 100 %",
    `Write e.g. ${where} ${kind}:${kind === "rad" ? 5 : 50}%`,
  );
}

function quantityOrNaN(text: string): number {
  try {
    return parseQuantity(text, "");
  } catch {
    return Number.NaN;
  }
}
