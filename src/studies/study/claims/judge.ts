/** @file Judges all claims of a plan. p values are adjusted within two families: Holm over the
 *  confirmatory claims, Benjamini-Hochberg over the exploratory ones. */
import { DynnError } from "../../../core/errors.js";
import { benjaminiHochberg, holm } from "../../../measures/statistics/multiplicity.js";
import type { Claim, ClaimsPlan, Endpoint, Verdict } from "../../../schema/study/claims.js";
import { checksOf } from "./checks.js";
import { judgeEndpoint } from "./endpoint.js";
import { rule } from "./rule.js";
import type { ClaimData } from "./table.js";

/** The verdicts of a plan's claims, in the order of the plan.
 * @param data per id of a claim: its tables and assay checks
 * @throws DynnError `claims/data` for a claim without tables, or tables that do not fit its plan
 * @example judgeClaims(claimsPlanSchema.parse(plan), { C1: { blocks } })[0].verdict */
export function judgeClaims(plan: ClaimsPlan, data: Readonly<Record<string, ClaimData>>): Verdict[] {
  const judged = plan.claims.map((claim) => judgeAlone(claim, dataOf(claim, data), plan));
  const adjusted = adjust(judged);
  return judged.map(({ fewestBlocks, ...verdict }, i) => {
    const evidence = { ...verdict, adjusted: adjusted[i], fewestBlocks };
    return { ...verdict, ...rule(evidence, plan), adjusted: adjusted[i] };
  });
}

/** What is known of a claim before the others are. */
type Judged = Omit<Verdict, "verdict" | "reason" | "adjusted"> & { readonly fewestBlocks: number };

function judgeAlone(claim: Claim, data: ClaimData, plan: ClaimsPlan): Judged {
  const { id, title, confirmatory } = claim;
  const tests = confirmatory ? plan.claims.filter((other) => other.confirmatory).length : 1;
  const endpoints = claim.endpoints.map((endpoint) => judgeEndpoint(endpoint, data, plan, tests));
  const ps = endpoints.map(({ p }) => p);
  return {
    id,
    title,
    confirmatory,
    // All endpoints must pass, so the weakest one decides (Berger, Technometrics 24, 1982).
    p: ps.includes(null) ? null : Math.max(...ps.map((p) => p ?? 1)),
    adjustment: confirmatory ? "holm" : "benjamini-hochberg",
    endpoints,
    checks: checksOf(claim, data, plan),
    fewestBlocks: Math.max(...claim.endpoints.map((endpoint) => fewestBlocks(endpoint, plan.alpha / tests))),
  };
}

/** Fewest blocks whose smallest sign-flip p value is below alpha. Regressions need two. */
export function fewestBlocks({ estimate, sides }: Pick<Endpoint, "estimate" | "sides">, alpha: number): number {
  if (estimate.kind === "regression") return 2;
  let blocks = 2;
  while (sides * 2 ** -blocks >= alpha) blocks++;
  return blocks;
}

/** Adjusted p values, each within its family. A claim without p value counts as one with p = 1. */
function adjust(judged: readonly Judged[]): (number | null)[] {
  const out: (number | null)[] = judged.map(() => null);
  for (const [name, by] of [
    ["holm", holm],
    ["benjamini-hochberg", benjaminiHochberg],
  ] as const) {
    const family = judged.map((_, i) => i).filter((i) => judged[i].adjustment === name);
    const adjusted = by(family.map((i) => judged[i].p ?? 1));
    for (const [place, i] of family.entries()) out[i] = judged[i].p === null ? null : adjusted[place];
  }
  return out;
}

function dataOf({ id }: Claim, data: Readonly<Record<string, ClaimData>>): ClaimData {
  const found = data[id];
  if (found !== undefined && found.blocks.length > 0) return found;
  throw new DynnError(
    "claims/data",
    `claim ${id}: it has no tables. Got ${Object.keys(data).join(", ") || "none"}, expected at least one block.`,
    {
      claim: id,
    },
  );
}
