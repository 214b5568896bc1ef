/** @file The verdict rule, fixed in the protocol before any run. The order counts: the number of
 *  blocks, checks, then refuted, supported, practically nil, and inconclusive for the rest. */
import type { Check, ClaimsPlan, EndpointRecord, VERDICTS } from "../../../schema/study/claims.js";
import { towards } from "./endpoint.js";
import { number, percent, range, size } from "./numbers.js";

export interface Ruling {
  readonly verdict: (typeof VERDICTS)[number];
  readonly reason: string;
}

export interface Evidence {
  readonly endpoints: readonly EndpointRecord[];
  readonly checks: readonly Check[];
  /** p value after the adjustment for the number of claims. Null for fewer than two blocks. */
  readonly adjusted: number | null;
  /** Fewest blocks with which the sign-flip test can reach alpha at Holm's first step. */
  readonly fewestBlocks: number;
}

type Rules = Pick<ClaimsPlan, "alpha" | "agreement">;

/** The verdict of a claim. Several endpoints must all be supported; one that is refuted refutes the
 * claim; all must be practically nil for that verdict. */
export function rule(evidence: Evidence, rules: Rules): Ruling {
  const { endpoints, checks, adjusted } = evidence;
  if (adjusted === null) return inconclusive("1 block: it has no interval over networks");
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0)
    return inconclusive(`failed checks: ${failed.map((c) => `${c.name} (${c.detail})`).join("; ")}`);
  const refuted = endpoints.filter(isRefuted);
  const each = (of: readonly EndpointRecord[], say: (e: EndpointRecord) => readonly string[]): string[] =>
    of.flatMap((e) => said(e, say(e), endpoints));
  if (refuted.length > 0) return { verdict: "refuted", reason: each(refuted, refutation).join("; ") };
  const lacks = each(endpoints, (e) => shortfalls(e, rules));
  const weak = adjusted < rules.alpha ? [] : [weakTest(evidence)];
  if (weak.length + lacks.length === 0) return { verdict: "supported", reason: each(endpoints, support).join("; ") };
  if (endpoints.every((e) => isNil(e, rules)))
    return { verdict: "practically-nil", reason: each(endpoints, nilness).join("; ") };
  return inconclusive([...weak, ...lacks, ...each(endpoints, powerless)].join("; "));
}

/** Sentences about an endpoint, with its name where the claim has several. */
const said = (e: EndpointRecord, facts: readonly string[], all: readonly EndpointRecord[]): string[] =>
  facts.map((fact) => (all.length > 1 ? `${e.name}: ${fact}` : fact));

const inconclusive = (reason: string): Ruling => ({ verdict: "inconclusive", reason });

/** The interval lies wholly on the side that the claim denies. */
const isRefuted = (e: EndpointRecord): boolean => e.interval?.every((end) => towards(e, end) < 0) ?? false;

/** The interval lies within the smallest effect on both sides. */
const isNil = ({ equivalence }: EndpointRecord, { alpha }: Rules): boolean =>
  equivalence !== null && equivalence < alpha / 2;

/** What an endpoint lacks to support the claim, apart from the test. */
function shortfalls(e: EndpointRecord, { agreement }: Rules): string[] {
  const agreeing = e.cells.filter(({ agrees }) => agrees).length;
  // 5/6 of 6 cells may come out as 5.000000001.
  const needed = Math.ceil(agreement * e.cells.length - 1e-9);
  return [
    ...(e.interval?.every((end) => towards(e, end) > 0)
      ? []
      : [`the interval ${interval(e)} holds ${size(e.reference, e.scale)}`]),
    ...(towards(e, e.effect) >= e.smallest
      ? []
      : [`the effect ${size(e.effect, e.scale)} is smaller than ${size(e.smallest, e.scale)}`]),
    ...(agreeing >= needed
      ? []
      : [`${agreeing} of ${e.cells.length} cells have the claimed sign, ${needed} are needed`]),
  ];
}

/** Why the test did not reach alpha. */
function weakTest({ adjusted, endpoints, fewestBlocks }: Evidence): string {
  const blocks = endpoints[0].blocks.length;
  const p = `adjusted p ${number(adjusted ?? 1)}`;
  return blocks < fewestBlocks ? `too few blocks: ${blocks}, the test needs ${fewestBlocks} (${p})` : p;
}

const interval = (e: EndpointRecord): string => (e.interval === null ? "" : range(e.interval, e.scale));

const refutation = (e: EndpointRecord): string[] => [
  `the interval ${interval(e)} lies wholly on the other side of ${size(e.reference, e.scale)}`,
];

const support = (e: EndpointRecord): string[] => [
  `${size(e.effect, e.scale)} (${interval(e)}), ${e.cells.filter((c) => c.agrees).length} of ${e.cells.length} cells agree`,
];

const nilness = (e: EndpointRecord): string[] => [
  `the interval ${interval(e)} lies within ${size(e.smallest, e.scale)} of ${size(e.reference, e.scale)} (TOST p ${number(e.equivalence ?? 1)})`,
];

/** Low power is a reason of its own. */
const powerless = (e: EndpointRecord): string[] =>
  e.power !== null && e.power < 0.8 ? [`the power for the smallest effect is ${percent(e.power)}`] : [];
