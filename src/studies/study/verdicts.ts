/** @file The verdicts of a study, from the tables of its questions. */
import { tTest } from "../../measures/statistics/index.js";
import type { Check, ClaimsPlan, EndpointRecord, Verdict } from "../../schema/study/claims.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import type { Claim, Estimate, StudyCheck, StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { type ClaimData, judgeClaims, protocolClaims } from "./claims/index.js";
import type { BlockTable } from "./claims/table.js";
import { QUESTIONS } from "./questions/table.js";

type Data = Readonly<Record<string, ClaimData>>;

/** The claims of a plan, with its smallest effects and the scales of its questions. */
function claimsPlan({ questions, smallest, seed }: StudyPlan): ClaimsPlan {
  const protocol = protocolClaims();
  const claims = protocol.claims
    .filter(({ id }) => questions.includes(id as Claim))
    .map((claim) => ({
      ...claim,
      endpoints: claim.endpoints.map((endpoint) => {
        const bound = endpoint.reference === 0 ? "smallest" : "reference";
        const scale = QUESTIONS[claim.id as Claim].scale;
        return { ...endpoint, scale, [bound]: smallest[claim.id as Claim] ?? endpoint[bound] };
      }),
    }));
  return { ...protocol, claims, seed };
}

/** The claims of a study with what was judged. */
export interface Judged {
  readonly plan: StudyPlan;
  readonly claims: ClaimsPlan;
  readonly data: Data;
  /** The claims of which at least one block was measured. */
  readonly verdicts: readonly Verdict[];
}

/** Judges the claims of a plan. */
export function judgeStudy(plan: StudyPlan, data: Data): Judged {
  const claims = claimsPlan(plan);
  const measured = claims.claims.filter(({ id }) => (data[id]?.blocks.length ?? 0) > 0);
  const verdicts = measured.length > 0 ? judgeClaims({ ...claims, claims: measured }, data) : [];
  return { plan, claims, data, verdicts };
}

/** One verdict per claim of the plan. A claim without any table is inconclusive.
 * @param why per claim, why parts of it could not be measured */
export const verdictsOf = (
  { plan, claims, verdicts }: Judged,
  checks: readonly Check[],
  why: Readonly<Record<string, string>>,
): StudyVerdict[] =>
  claims.claims.map((claim) => {
    const found = verdicts.find(({ id }) => id === claim.id);
    return found ? measuredVerdict(found, plan) : unmeasured(claim, plan, checks, why[claim.id]);
  });

const factsOf = (claim: Claim, plan: StudyPlan) => ({
  claim,
  source: QUESTIONS[claim].source,
  unit: QUESTIONS[claim].unit,
  scale: QUESTIONS[claim].scale,
  smallest: plan.smallest[claim],
  paper: "unknown",
});

function measuredVerdict({ id, title, endpoints, checks, ...verdict }: Verdict, plan: StudyPlan): StudyVerdict {
  // All endpoints must pass, so the one with the largest p value is shown.
  const shown = endpoints.reduce((a, b) => ((b.p ?? 1) > (a.p ?? 1) ? b : a));
  const { effect, interval, test, blocks, cells, power } = shown;
  return {
    ...factsOf(id as Claim, plan),
    statement: title,
    endpoint: endpoints.map(({ name }) => name).join("; "),
    ...{ verdict: verdict.verdict, p: verdict.p, adjusted: verdict.adjusted, test, power, reason: verdict.reason },
    effect: { value: effect, low: interval?.[0] ?? null, high: interval?.[1] ?? null },
    blocks: blocks.length,
    cells: { agree: cells.filter(({ agrees }) => agrees).length, all: cells.length },
    checks: checks.map(checkRecord),
  };
}

const unmeasured = (
  { id, title, endpoints }: ClaimsPlan["claims"][number],
  plan: StudyPlan,
  checks: readonly Check[],
  why = "the networks that it compares are missing",
): StudyVerdict => ({
  ...factsOf(id as Claim, plan),
  statement: title,
  endpoint: endpoints.map(({ name }) => name).join("; "),
  verdict: "inconclusive",
  effect: null,
  test: "none",
  ...{ p: null, adjusted: null, blocks: 0, cells: { agree: 0, all: 0 }, power: null },
  reason: `no block could be measured: ${why}`,
  checks: checks.map(checkRecord),
});

const checkRecord = ({ name, passed, detail }: Check): StudyCheck => ({ name, passed, detail });

/** Effects by cell, for the forest plot. A cell with one block has the interval of its samples. */
export const cellsOf = ({ claims, data, verdicts }: Judged): StudyRecord["cells"] =>
  verdicts.flatMap(({ id, endpoints: [endpoint] }) =>
    endpoint.cells.map(({ cell, value }) => {
      const blocks = endpoint.blocks.filter((block) => block.cell === cell);
      return {
        ...{ claim: id as Claim, cell, blocks: blocks.length },
        effect: { value, ...intervalOf(endpoint, blocks, data[id].blocks, claims) },
      };
    }),
  );

function intervalOf(
  endpoint: EndpointRecord,
  blocks: EndpointRecord["blocks"],
  tables: readonly BlockTable[],
  { claims }: ClaimsPlan,
): Pick<Estimate, "low" | "high"> {
  if (blocks.length > 1) {
    const { low, high } = tTest(blocks.map(({ value }) => value));
    return { low, high };
  }
  const form = claims.flatMap(({ endpoints }) => endpoints).find(({ name }) => name === endpoint.name)?.estimate;
  const table = tables.find(({ id }) => id === blocks[0]?.id);
  if (form?.kind !== "difference" || !table || table.columns[form.of].length < 2) return { low: null, high: null };
  const [of, minus] = [table.columns[form.of], table.columns[form.minus]];
  const { low, high } = tTest(Array.from(of, (value, i) => value - minus[i]));
  return { low, high };
}
