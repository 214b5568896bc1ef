/** @file The verdicts and the effects of transfer as short LaTeX tables for a paper. They need no
 *  package. */
import type { OverallEffects, StudyRecord, StudyVerdict } from "../../schema/study/record.js";
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

const tabular = (columns: string, heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `\\begin{tabular}{${columns}}`,
  "\\hline",
  line(heads),
  "\\hline",
  ...rows.map(line),
  "\\hline",
  "\\end{tabular}",
  "",
];

/** The table of verdicts, and behind it the effects of transfer at the primary radius.
 * @returns one or two environments `tabular`; adjusted p is Holm's over the claims of the plan
 * @example
 * await writeFile("verdicts.tex", studyTable(record));
 */
export function studyTable(record: StudyRecord): string {
  const { verdicts, name, plan } = record;
  return [
    `% ${escapeLatex(name)}, plan ${escapeLatex(plan.sha256)}${plan.edited ? ", edited after the study began" : ""}`,
    ...tabular("llllrrr", HEADS, verdicts.map(cellsOf)),
    ...transferTable(record),
  ].join("\n");
}

const EFFECT_HEADS = ["attack", "goal", "asymmetry", "surrogate effect", "target effect", "blocks"];

/** Nothing for a study without transfer. */
function transferTable(record: StudyRecord): string[] {
  const effects = record.questions.transfer.overall.filter(({ radius }) => words.isPrimary(record, radius));
  if (effects.length === 0) return [];
  return ["% transfer, 95 % intervals over blocks", ...tabular("llrrrr", EFFECT_HEADS, effects.map(effectCells))];
}

const effectCells = ({ attack, objective, asymmetry, surrogate, target, blocks }: OverallEffects): string[] => [
  ...[attack, objective],
  ...[asymmetry, surrogate, target].map((each) => words.effect(each, "share")),
  String(blocks),
];
