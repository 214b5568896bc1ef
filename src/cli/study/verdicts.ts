/** @file Prints the verdicts of a study. */

import * as words from "../../report/study/words.js";
import type { StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { heading, table } from "../shared/table.js";

/** The verdicts as a table, each with its reason. */
export const verdictTable = ({ name, verdicts, plan, exploratory }: StudyRecord): string =>
  [
    heading(`Study ${name}, plan ${plan.sha256.slice(0, 16)}${plan.edited ? " (edited after the study began)" : ""}`),
    table(
      [
        ...[
          { head: "claim", align: "left" as const },
          { head: "verdict", align: "left" as const },
        ],
        ...[{ head: "effect (95 %)" }, { head: "adjusted p" }, { head: "blocks" }],
      ],
      verdicts.map((each) => [each.claim, each.verdict, effectOf(each), numberOr(each.adjusted), String(each.blocks)]),
    ),
    ...verdicts.map(({ claim, statement, reason }) => `\n${claim}: ${statement}.\n  ${reason}.\n`),
    exploratory ? "\nThe report also shows networks that skip blocks. No verdict reads them.\n" : "",
  ].join("");

const numberOr = (value: number | null): string => (value === null ? "-" : value.toFixed(3));

const effectOf = ({ effect, scale, unit }: StudyVerdict): string =>
  effect ? `${words.effect(effect, words.scaleOf({ scale }))} ${unit}` : "-";
