/** @file The checks of the assay: whether the attacks were strong enough for the claims. And what
 *  was not run. */
import type { Claim, StudyCheck, StudyRecord } from "../../schema/study/record.js";
import { html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, foldedTable } from "./figure.js";
import * as words from "./words.js";

type Row = StudyCheck & { readonly claim: Claim };

const RESULTS = [
  { passed: false, sign: "✗", name: "failed", look: "refuted" },
  { passed: true, sign: "✓", name: "passed", look: "supported" },
] as const;

function mark(check: StudyCheck) {
  const { sign, name, look } = RESULTS[check.passed ? 1 : 0];
  return html`<b class="verdict ${look}"><span aria-hidden="true">${sign}</span>\u00a0${name}</b>`;
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
  { head: "check", cell: (c) => html`${c.name}<small>${c.claim}</small>` },
  { head: "result", align: "left", cell: mark },
  { head: "what was seen", align: "left", cell: (c) => html`<div class="reason">${c.detail}</div>` },
  { head: "what it means", align: "left", cell: (c) => html`<div class="reason">${MEANING[c.name] ?? ""}</div>` },
];

/** Failed checks first, then those that were not made. */
export function checkSection({ verdicts }: StudyRecord): Section {
  const rows = verdicts.flatMap(({ claim, checks }) => checks.map((check): Row => ({ ...check, claim })));
  const [failed, unknown, passed] = RESULTS.map((result) => rows.filter((row) => row.passed === result.passed));
  const counted = RESULTS.map(({ passed, name }) => `${rows.filter((r) => r.passed === passed).length} ${name}`);
  const body = html`<p>${counted.join(", ")}. A claim with a failed check has the verdict "inconclusive": its attack may have been too weak, or its numbers wrong.</p>${foldedTable("Checks that failed or were not made.", COLUMNS, [...failed, ...unknown])}${foldedTable("Checks that passed.", COLUMNS, passed)}`;
  return {
    id: "checks",
    title: "Checks of the assay",
    body:
      rows.length === 0
        ? empty("The record holds no check, so nothing is known of the strength of the attacks.")
        : body,
  };
}

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
            { head: "why", align: "left", cell: (n) => n.why },
          ],
          notRun,
        )
  }${missingLines(blocks)}`,
});

const missingLines = (blocks: StudyRecord["blocks"]) => {
  const lacking = blocks.filter(({ missing }) => missing.length > 0);
  if (lacking.length === 0) return empty("No block lacks a network.");
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
};
