/** @file Networks that skip blocks: the figures of the questions, with these networks in place of
 *  the joint ones. No verdict reads them. */
import type { QuestionResults, StudyRecord } from "../../schema/study/record.js";
import { html } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { checkTable } from "./checks.js";
import { costFigures, costSection } from "./cost.js";
import { earlySection, survivalFigures } from "./early.js";
import type { Figure } from "./figure.js";
import { robustnessFigures, robustnessSection } from "./robustness.js";
import { effectFigures, mapFigures, transferSection } from "./transfer.js";
import { yieldFigures, yieldSection } from "./yield.js";

type Drawn<T> = (record: StudyRecord, document: Document) => T;

const SECTIONS: readonly (readonly [part: keyof QuestionResults, section: Drawn<Section>])[] = [
  ["robustness", robustnessSection],
  ["transfer", transferSection],
  ["yield", yieldSection],
  ["cost", costSection],
  ["early", earlySection],
];

const FIGURES: readonly Drawn<Figure[]>[] = [
  ...[robustnessFigures, effectFigures, mapFigures],
  ...[yieldFigures, costFigures, survivalFigures],
];

const isEmpty = (questions: QuestionResults, part: keyof QuestionResults): boolean =>
  part === "transfer"
    ? questions.transfer.matrices.length === 0
    : part === "early"
      ? questions.early.rows.length === 0
      : questions[part].length === 0;

/** The record with the exploratory results in place of those of the claims. Undefined for a study
 * without networks that skip blocks. */
const exploring = (record: StudyRecord): StudyRecord | undefined =>
  record.exploratory && { ...record, questions: record.exploratory.questions };

/** Nothing for a study without networks that skip blocks. */
export function skippingSections(record: StudyRecord, document: Document): Section[] {
  const inner = exploring(record);
  if (inner === undefined) return [];
  const parts = SECTIONS.filter(([part]) => !isEmpty(inner.questions, part)).map(([, section]) =>
    section(inner, document),
  );
  const body = html`<p>Exploratory: no verdict reads these numbers. The network that skips blocks stands in place of the joint one. Its training begins with the static network of its block, so the two share weights. Its final exit runs under its gates, as its routed answer does.</p>${parts.map(({ title, body: each }) => html`<h3>${title}</h3>${each}`)}${checkTable("Checks of the attacks on networks that skip blocks.", record.exploratory?.checks ?? [])}`;
  return [{ id: "skipping", title: "Networks that skip blocks", body }];
}

/** The figures of the section, under names of their own. */
export function skippingFigures(record: StudyRecord, document: Document): Figure[] {
  const inner = exploring(record);
  if (inner === undefined) return [];
  return FIGURES.flatMap((of) => of(inner, document)).map((figure) => ({ ...figure, id: `skipping-${figure.id}` }));
}
