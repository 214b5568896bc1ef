/** @file The verdicts and the effects of transfer as short LaTeX tables for a paper. They need no
 *  package. */
import type { OverallEffects, StudyRecord, StudyVerdict } from "../../schema/study/record.js";
import { escapeLatex, tabular } from "../shared/latex.js";
import * as words from "./words.js";

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
  const radius = escapeLatex(words.radius(record.radius.primary));
  return [
    `% transfer at radius ${radius}, 95 % intervals over blocks`,
    ...tabular("llrrrr", EFFECT_HEADS, effects.map(effectCells)),
  ];
}

const effectCells = ({ attack, objective, asymmetry, surrogate, target, blocks }: OverallEffects): string[] => [
  ...[attack, objective],
  ...[asymmetry, surrogate, target].map((each) => words.effect(each, "share")),
  String(blocks),
];
