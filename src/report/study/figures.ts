/** @file Every figure of a study's report as a file of its own, in the colours of a light page,
 *  with its key. */
import { parseHTML } from "linkedom/worker";
import type { StudyRecord } from "../../schema/study/record.js";
import { standAlone } from "../plots/stand-alone.js";
import { costFigures } from "./cost.js";
import { doseFigures, survivalFigures } from "./early.js";
import type { Figure } from "./figure.js";
import { firstExitFigures } from "./first-exit.js";
import { robustnessFigures } from "./robustness.js";
import { skippingFigures } from "./skipping.js";
import { effectFigures, mapFigures } from "./transfer.js";
import { forestFigures } from "./verdicts.js";
import { yieldFigures } from "./yield.js";

const FIGURES: readonly ((record: StudyRecord, document: Document) => Figure[])[] = [
  forestFigures,
  robustnessFigures,
  effectFigures,
  mapFigures,
  yieldFigures,
  costFigures,
  firstExitFigures,
  doseFigures,
  survivalFigures,
  skippingFigures,
];

/** All figures as SVG documents, by their name without ending. They need no style sheet.
 * @param document where plots are drawn. Default: a document in memory
 * @example
 * for (const [name, svg] of studyFigures(record)) await writeFile(`${name}.svg`, svg);
 */
export function studyFigures(record: StudyRecord, document?: Document): Map<string, string> {
  const drawnIn = document ?? parseHTML("<!doctype html><html></html>").document;
  const files = new Map<string, string>();
  for (const { id, plot, key } of FIGURES.flatMap((of) => of(record, drawnIn)))
    files.set(free(id, files), standAlone(plot, key));
  return files;
}

/** Names of blocks that differ in signs only would share a file name: later ones get a number. */
function free(id: string, taken: ReadonlyMap<string, string>): string {
  let name = id;
  for (let i = 2; taken.has(name); i++) name = `${id}-${i}`;
  return name;
}
