/** @file The verdict rule, fixed in the protocol before any run. The order counts: checks first,
 *  then refuted, supported, practically nil, and inconclusive for the rest. */
import type { Check, ClaimsPlan, EndpointRecord, VERDICTS } from "../../../schema/study/claims.js";
import { towards } from "./endpoint.js";
import { number, percent, range } from "./numbers.js";

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
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0)
    return inconclusive(`failed checks: ${failed.map((c) => `${c.name} (${c.detail})`).join("; ")}`);
  if (adjusted === null) return inconclusive("1 block: it has no interval over networks");
  const refuted = endpoints.filter(isRefuted);
  if (refuted.length > 0) return { verdict: "refuted", reason: refuted.map(refutation).join("; ") };
  const lacks = [
    ...(adjusted < rules.alpha ? [] : [weakTest(evidence)]),
    ...endpoints.flatMap((e) => shortfalls(e, rules)),
  ];
  if (lacks.length === 0) return { verdict: "supported", reason: endpoints.map(support).join("; ") };
  if (endpoints.every((e) => isNil(e, rules)))
    return { verdict: "practically-nil", reason: endpoints.map(nilness).join("; ") };
  return inconclusive([...lacks, ...endpoints.flatMap(powerless)].join("; "));
}

const inconclusive = (reason: string): Ruling => ({ verdict: "inconclusive", reason });

/** The interval lies wholly on the side that the claim denies. */
const isRefuted = (e: EndpointRecord): boolean => e.interval?.every((end) => towards(e, end) < 0) ?? false;

const isNil = ({ equivalence }: EndpointRecord, { alpha }: Rules): boolean =>
  equivalence !== null && equivalence < alpha;

/** What an endpoint lacks to support the claim, apart from the test. */
function shortfalls(e: EndpointRecord, { agreement }: Rules): string[] {
  const agreeing = e.cells.filter(({ agrees }) => agrees).length;
  // 5/6 of 6 cells may come out as 5.000000001.
  const needed = Math.ceil(agreement * e.cells.length - 1e-9);
  return [
    ...(e.interval?.every((end) => towards(e, end) > 0)
      ? []
      : [`${e.name}: the interval ${e.interval && range(e.interval)} holds ${number(e.reference)}`]),
    ...(towards(e, e.effect) >= e.smallest
      ? []
      : [`${e.name}: the effect ${number(e.effect)} is smaller than ${number(e.smallest)}`]),
    ...(agreeing >= needed
      ? []
      : [`${e.name}: ${agreeing} of ${e.cells.length} cells have the claimed sign, ${needed} are needed`]),
  ];
}

/** Why the test did not reach alpha. */
function weakTest({ adjusted, endpoints, fewestBlocks }: Evidence): string {
  const blocks = endpoints[0].blocks.length;
  const p = `adjusted p ${number(adjusted ?? 1)}`;
  return blocks < fewestBlocks ? `too few blocks: ${blocks}, the test needs ${fewestBlocks} (${p})` : p;
}

const refutation = (e: EndpointRecord): string =>
  `${e.name}: the interval ${e.interval && range(e.interval)} lies wholly on the other side of ${number(e.reference)}`;

const support = (e: EndpointRecord): string =>
  `${e.name}: ${number(e.effect)} (${e.interval && range(e.interval)}), ${e.cells.filter((c) => c.agrees).length} of ${e.cells.length} cells agree`;

const nilness = (e: EndpointRecord): string =>
  `${e.name}: the effect lies within ${number(e.smallest)} of ${number(e.reference)} (TOST p ${number(e.equivalence ?? 1)})`;

/** Low power is a reason of its own. */
const powerless = (e: EndpointRecord): string[] =>
  e.power !== null && e.power < 0.8 ? [`${e.name}: power for the smallest effect is ${percent(e.power)}`] : [];
