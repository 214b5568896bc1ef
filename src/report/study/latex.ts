/** @file The verdicts as a short LaTeX table for a paper. It needs no package. */
import type { StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import * as words from "./words.js";

/** What LaTeX reads as a command, and signs that its fonts may lack. */
const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "$<$",
  ">": "$>$",
  "|": "$|$",
  '"': "''",
  "\u00a0": "~",
  "−": "$-$",
  "–": "--",
  "×": "$\\times$",
};

/** A text in which LaTeX finds no command. Line breaks become spaces. */
export const escapeLatex = (text: string): string =>
  text.replace(/\s*[\n\r]\s*/g, " ").replace(/[\\{}$&#%_^~<>|"\u00a0−–×]/g, (sign) => SPECIAL[sign]);

const HEADS = ["claim", "verdict", "effect (95 % interval)", "unit", "p", "adjusted p", "blocks"];

const cellsOf = ({ claim, verdict, effect, unit, p, adjusted, blocks, scale }: StudyVerdict): string[] => [
  claim,
  words.verdictName(verdict),
  words.effect(effect, words.scaleOf({ scale })),
  unit,
  words.probability(p),
  words.probability(adjusted),
  String(blocks),
];

const line = (cells: readonly string[]): string => `${cells.map(escapeLatex).join(" & ")} \\\\`;

/** The table of verdicts.
 * @returns an environment `tabular`; adjusted p is Holm's over the claims of the plan
 * @example
 * await writeFile("verdicts.tex", studyTable(record));
 */
export const studyTable = ({ verdicts, name, plan }: StudyRecord): string =>
  [
    `% ${escapeLatex(name)}, plan ${escapeLatex(plan.sha256)}${plan.edited ? ", edited after the study began" : ""}`,
    "\\begin{tabular}{llllrrr}",
    "\\hline",
    line(HEADS),
    "\\hline",
    ...verdicts.map((verdict) => line(cellsOf(verdict))),
    "\\hline",
    "\\end{tabular}",
    "",
  ].join("\n");
