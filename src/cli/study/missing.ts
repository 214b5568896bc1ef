/** @file What a plan says of networks that are not trained yet. */
import type { StudyPlan } from "../../schema/study/plan.js";
import { blocksWithParts } from "../../studies/study/parts.js";

/** The networks that a plan lacks, and what its questions then count. Empty when it lacks none. */
export function missingLines(plan: StudyPlan): string {
  const lines = [...missingByCell(plan)].map(([cell, names]) => `  ${cell}: ${names.join(", ")}\n`);
  const count = plan.blocks.reduce((sum, { missing }) => sum + missing.length, 0);
  if (count === 0) return "";
  return [
    `\n${count} ${count === 1 ? "network is" : "networks are"} not trained yet, and their parts of the study are left out:\n`,
    ...lines,
    `Blocks with the networks of each question, of ${plan.blocks.length}: ${plan.questions.map((claim) => `${claim} ${blocksWithParts(plan, claim)}`).join(", ")}.\n`,
    "\nPlan with --train to let the study train them, or train them with `dynn zoo train NAME --data DIR` and make the plan again.\n",
  ].join("");
}

/** Per cell the missing parts with their seeds, such as "joint s2 s3". A network whose name does
 * not begin with its cell is named in full. */
function missingByCell({ blocks }: StudyPlan): Map<string, string[]> {
  const cells = new Map<string, Map<string, string[]>>();
  for (const { cell, missing } of blocks) {
    const parts = cells.get(cell) ?? new Map<string, string[]>();
    for (const { network } of missing) {
      const [, part = network, seed] = new RegExp(`^${escaped(cell)}-(.+)-(s\\d+)$`).exec(network) ?? [];
      parts.set(part, [...(parts.get(part) ?? []), ...(seed === undefined ? [] : [seed])]);
    }
    if (parts.size > 0) cells.set(cell, parts);
  }
  return new Map(
    [...cells].map(([cell, parts]) => [cell, [...parts].map(([part, seeds]) => [part, ...seeds].join(" "))]),
  );
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
