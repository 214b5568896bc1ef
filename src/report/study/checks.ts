/** @file The checks of the assay: whether the attacks were strong enough for the claims. And what
 *  was not run. */
import { NOT_RUN } from "../../schema/study/claims.js";
import type { Claim, StudyCheck, StudyRecord } from "../../schema/study/record.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, foldedTable } from "./figure.js";
import * as words from "./words.js";

interface Row extends StudyCheck {
  /** The claims that rest on the check. */
  readonly claims: readonly Claim[];
}

const RESULTS = {
  failed: { sign: "✗", look: "refuted" },
  "not made": { sign: "–", look: "inconclusive" },
  passed: { sign: "✓", look: "supported" },
} as const;
type Result = keyof typeof RESULTS;

function resultOf({ passed, detail }: StudyCheck): Result {
  if (passed) return "passed";
  return detail === NOT_RUN ? "not made" : "failed";
}

function mark(check: StudyCheck) {
  const result = resultOf(check);
  const { sign, look } = RESULTS[result];
  return html`<b class="verdict ${look}"><span aria-hidden="true">${sign}</span>\u00a0${result}</b>`;
}

/** What a failure of a check means. */
const MEANING: Readonly<Record<string, string>> = {
  "white-box at least as strong as transfer":
    "If it fails, an attack works better on another network than on its own, so it is broken there.",
  "more steps or radius never weaker": "If it fails, the attack gets lost, and its success is a lower bound.",
  "radius 0.5 gives about 100 %": "If it fails, the attack cannot break what has no defence left.",
  "stronger than sign noise of the same norm": "If it fails, the attack finds nothing that chance does not find.",
  "zero gradients below 1 %": "If it fails, the attack has no gradient to follow, and robustness is only apparent.",
  "routed gradient equals finite differences": "If it fails, the gradient is wrong.",
  "a slowdown attack exceeds the margin": "If it fails, the study could not have seen a rise of the cost.",
  "sign noise stays below the margin": "If it fails, the cost rises without any attack.",
};

const COLUMNS: readonly Column<Row>[] = [
  { head: "check", cell: (c) => html`${c.name}<small>${c.claims.join(", ")}</small>` },
  { head: "result", align: "left", cell: mark },
  { head: "what was seen", align: "left", cell: (c) => html`<div class="reason">${words.sentence(c.detail)}</div>` },
  { head: "what it means", align: "left", cell: (c) => html`<div class="reason">${MEANING[c.name] ?? ""}</div>` },
];

/** Checks by result. A check with the same result for several claims is one row. */
function rowsOf(verdicts: StudyRecord["verdicts"]): Record<Result, Row[]> {
  const rows = new Map<string, Row>();
  for (const { claim, checks } of verdicts)
    for (const check of checks) {
      const key = JSON.stringify([check.name, check.passed, check.detail]);
      rows.set(key, { ...check, claims: [...(rows.get(key)?.claims ?? []), claim] });
    }
  const of = (result: Result): Row[] => [...rows.values()].filter((row) => resultOf(row) === result);
  return { failed: of("failed"), "not made": of("not made"), passed: of("passed") };
}

/** Failed checks first, then those that were not made. */
export function checkSection({ verdicts }: StudyRecord): Section {
  const rows = rowsOf(verdicts);
  const counted = Object.entries(rows).map(([result, { length }]) => `${length} ${result}`);
  const body = html`<p>${counted.join(", ")}. A claim whose check failed or was not made has the verdict "inconclusive": its attack may have been too weak, or its numbers wrong.</p>${foldedTable("Checks that failed or were not made.", COLUMNS, [...rows.failed, ...rows["not made"]])}${foldedTable("Checks that passed.", COLUMNS, rows.passed)}`;
  return {
    id: "checks",
    title: "Checks of the assay",
    body:
      rows.failed.length + rows["not made"].length + rows.passed.length === 0
        ? empty("The record holds no check, so nothing is known of the strength of the attacks.")
        : body,
  };
}

/** Checks that no claim rests on, failed ones first. */
export const checkTable = (caption: string, checks: readonly StudyCheck[]): Html =>
  foldedTable(
    caption,
    COLUMNS,
    [...checks].sort((a, b) => Number(a.passed) - Number(b.passed)).map((check) => ({ ...check, claims: [] })),
  );

/** What was not run, and why. */
export const notRunSection = ({ notRun, blocks }: StudyRecord): Section => ({
  id: "not-run",
  title: "What was not run",
  body: html`${
    notRun.length === 0
      ? empty("Everything in the plan was run.")
      : table(
          "Parts of the plan without a result.",
          [
            { head: "what", cell: (n) => n.what },
            { head: "why", align: "left", cell: (n) => words.sentence(n.why) },
          ],
          notRun,
        )
  }${missingLines(blocks, notRun)}`,
});

/** Missing networks that the list of what was not run does not name yet. */
function missingLines(blocks: StudyRecord["blocks"], notRun: StudyRecord["notRun"]): Html {
  if (blocks.every(({ missing }) => missing.length === 0)) return empty("No block lacks a network.");
  const named = (network: string): boolean => notRun.some(({ what, why }) => `${what} ${why}`.includes(network));
  const lacking = blocks
    .map(({ name, missing }) => ({ name, missing: missing.filter(({ network }) => !named(network)) }))
    .filter(({ missing }) => missing.length > 0);
  if (lacking.length === 0) return NOTHING;
  return table(
    "Networks that blocks lack.",
    [
      { head: "block", cell: (b) => words.unbroken(b.name) },
      {
        head: "missing networks",
        align: "left",
        cell: (b) => b.missing.map(({ role, network }) => `${network} (${role})`).join(", "),
      },
    ],
    lacking,
  );
}
